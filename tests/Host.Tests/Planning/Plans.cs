using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Planning;

/// <summary>Plans made from checkpoints, without a recipe.</summary>
internal static class Plans
{
    public static PlanRequest Request(params PlannedModel[] models) => new()
    {
        Strategy = new OneLine(_ => TensorMerge.Copy(0)),
        Plugin = new("tests", "1.0", "digest"),
        Origin = new("merge_method: one-line\n", [.. models.Select(m => m.Text)], null),
        Models = models,
        Base = null,
        Donor = models[0],
        SideFiles = [],
        Options = _ => new NoOptions(),
        OutType = null,
        Seed = 0,
    };

    public static MergePlan Of(params PlannedModel[] models) => MergePlanner.Plan(Request(models));

    /// <summary>What a plan is refused with, warnings aside.</summary>
    public static IReadOnlyList<Diagnostic> Refused(PlanRequest request)
    {
        var refused = Assert.Throws<MergeException>(() => MergePlanner.Plan(request));
        return [.. refused.Diagnostics.Where(d => d.Severity == Severity.Error)];
    }
}

using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Curvature;

/// <summary>
/// The saliency s = v·Δ² (without a base v) above which a share of the whole model's edits lies, for each model, and how
/// that share spreads over the tensors. Two passes to find the thresholds, one to count.
/// </summary>
internal static class ThresholdSurvey
{
    private const string RankParameter = "rank";
    private const string Rank1Parameter = "rank1_approx";

    /// <param name="plan">A merge by a method with second moments: its models, base and files are used.</param>
    /// <param name="names">The models, as the user names them.</param>
    /// <param name="density">The share that is to stay, in (0, 1].</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks.</param>
    /// <exception cref="MergeException">The method has no second moments, or a tensor has none.</exception>
    public static MaskDensities Run(
        MergePlan plan,
        IReadOnlyList<string> names,
        double density,
        RunSettings settings,
        RunProgress progress,
        CancellationToken cancellation)
    {
        var merged = plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0).ToArray();
        var side = merged.SelectMany(t => t.Values).FirstOrDefault(v => v.Schema.SideInput is { Shape: SideShape.SameAsTensor })?.Schema.SideInput?.Name
            ?? throw new MergeException(new Diagnostic($"{plan.Strategy.Info.Id} takes no second moments")
            {
                Expected = "a recipe of a method that does, such as ota or ffg",
                Fix = "'merge explain ota' shows how one looks.",
            })
            { WrongUsage = true };
        if (merged.Any(t => Values(t, RankParameter).Where((r, i) => r is not null && !IsRank1(t, i)).Any()))
        {
            throw new MergeException(new Diagnostic("thresholds of second moments of a rank are not computed")
            {
                Expected = "second moments as they are, or rank1_approx: a survey of the whole model cannot hold every matrix",
                Fix = "Leave 'rank' out of the recipe.",
            })
            { WrongUsage = true };
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new MergeContext
        {
            Plan = plan with
            {
                Strategy = new SaliencySurvey(),
                Tensors = [.. merged.Select(t => t with
                {
                    Options = new SaliencyOptions
                    {
                        Side = side,
                        Density = density,
                        IsRank1 = [.. t.Models.Select((_, i) => t.Info.Rank == 2 && IsRank1(t, i))],
                        Models = names,
                    },
                })],
            },
            Method = "threshold",
            Seed = plan.Seed,
            Settings = settings,
            Output = new NoOutput(),
            Checksums = new Checksums(),
            Progress = progress,
        };
        var survey = new Survey(t => t.Options!);
        new Scheduler(settings.Threads, stop).Run([new SurveyJob(context, context.Plan, [survey])]);
        return survey.Fault is null ? (MaskDensities)survey.Result! : throw survey.Fault;
    }

    private static IEnumerable<object?> Values(TensorPlan tensor, string parameter) =>
        tensor.Values.FirstOrDefault(v => v.Schema.Name == parameter)?.Values.Select(v => v.Value) ?? [];

    private static bool IsRank1(TensorPlan tensor, int model) =>
        Values(tensor, Rank1Parameter).ElementAtOrDefault(model) is true;

    private sealed class NoOutput : ITensorSink
    {
        public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void Finish(TensorPlan tensor, uint checksum) => throw new NotSupportedException();
    }
}

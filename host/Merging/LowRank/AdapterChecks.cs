using Merge.Adapters;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// What a merge of adapters would be refused for while it runs, as far as the method answers without having seen a value:
/// whether its answer can be written as an adapter in the way the recipe asks.
/// </summary>
internal static class AdapterChecks
{
    /// <returns>Errors, and warnings where the method's answer depends on values.</returns>
    public static IReadOnlyList<Diagnostic> Of(MergePlan plan)
    {
        if (plan.Adapter is not { IsExtracted: false } output || plan.Strategy.HasSurvey)
            return [];
        var found = new List<Diagnostic>();
        foreach (var tensor in plan.Tensors.Where(t => t.Info.Count > 0))
        {
            try
            {
                if (Problem(plan, output, tensor) is { } doubt)
                    found.Add(doubt);
            }
            catch (MergeException refused)
            {
                found.AddRange(refused.Diagnostics);
            }
        }
        // One reason, often the same for every module.
        return
        [
            .. found.GroupBy(d => (d.Severity, d.Found)).Select(g => g.Count() == 1 ? g.First() : g.First() with
            {
                Where = $"{g.First().Where} and {g.Count() - 1} more module{(g.Count() == 2 ? "" : "s")}",
            }),
        ];
    }

    private static Diagnostic? Problem(MergePlan plan, AdapterOutput output, TensorPlan tensor)
    {
        var scan = new TensorScan(
            tensor.Info, tensor.Models.Length, tensor.Base is not null,
            (name, model) => tensor.Side(name, model) is not null, new ManagedLinearAlgebra(),
            model => tensor.Models[model] is AdaptedTensor { TaskVectorRank: { } rank } ? rank : 0);
        var planning = StrategyCall.Run(
            plan.Strategy, tensor.Info.Name, () => plan.Strategy.PlanTensor(scan, tensor.Options!, null).AsTask());
        if (planning.IsCompleted)
        {
            StrategyCall.Rethrow(plan.Strategy, tensor.Info.Name, planning);
            if (output.Modules.ContainsKey(tensor.Info.Name))
                _ = LinearPart.Of(plan, tensor, scan, planning.Result);
            else
                _ = SavedJob.Weights(plan, tensor, output.Saved[tensor.Info.Name], planning.Result);
            return null;
        }
        // Who looks for the largest elements is about to drop the others one by one.
        return output.Modules.TryGetValue(tensor.Info.Name, out var module) && output.ChoiceOf(module.Like.Name) is null
            && scan.Pending.OfType<LargestRequest>().Any()
            ? LinearPart.NoFewFactors(plan, tensor) with
            {
                Severity = Severity.Warning,
                Found = $"{plan.Strategy.Info.Id} looks for the largest elements: most likely the result is no product of few factors",
            }
            : null;
    }
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What a merge comes to where it is one and the same weighted sum of whole models for every tensor.</summary>
internal static class WholeCombination
{
    /// <summary>
    /// The coefficients of the models and, last, of the base; null: the method does something else, waits for statistics, does
    /// not treat all tensors alike, or refuses.
    /// </summary>
    /// <param name="plan">The merge.</param>
    /// <param name="options">Its options for every tensor that is merged.</param>
    public static IReadOnlyList<double>? Of(MergePlan plan, Func<TensorPlan, object> options)
    {
        double[]? first = null;
        foreach (var tensor in plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0))
        {
            if (plan.Strategy.HasSurvey || tensor.Models.Length != plan.Models.Count || Of(plan.Strategy, tensor, options) is not { } own
                || !own.AsSpan().SequenceEqual(first ??= own))
            {
                return null;
            }
        }
        return first;
    }

    private static double[]? Of(MergeStrategy strategy, TensorPlan tensor, Func<TensorPlan, object> options)
    {
        var scan = new TensorScan(tensor.Info, tensor.Models.Length, tensor.Base is not null,
            (name, model) => tensor.Side(name, model) is not null, LinearAlgebraChoice.Managed);
        try
        {
            var planning = StrategyCall.Run(strategy, tensor.Info.Name, () => strategy.PlanTensor(scan, options(tensor), null).AsTask());
            if (!planning.IsCompletedSuccessfully)
                return null;
            var models = Enumerable.Range(0, tensor.Models.Length);
            return planning.Result switch
            {
                CopyMerge copy => [.. models.Select(m => m == copy.Model ? 1.0 : 0), copy.Model is null ? 1 : 0],
                CombinationMerge { Weights.Count: var count } sum when count == tensor.Models.Length =>
                    [.. sum.Weights, sum.Deltas ? sum.BaseWeight - sum.Weights.Sum() : sum.BaseWeight],
                _ => null,
            };
        }
        catch (MergeException)
        {
            return null;
        }
    }
}

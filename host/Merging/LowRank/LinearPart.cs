using Merge.Adapters;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>What of a strategy's answer is a weighted sum of adapters, and whether it can be written as the recipe asks.</summary>
internal static class LinearPart
{
    /// <param name="plan">The merge.</param>
    /// <param name="tensor">A module's weight.</param>
    /// <param name="scan">What the strategy was given.</param>
    /// <param name="merge">What it answered.</param>
    /// <returns>The modules with their weights; null where the answer is no weighted sum of them.</returns>
    /// <exception cref="MergeException">No adapter can be made of it without more being said.</exception>
    public static IReadOnlyList<(AdapterModule Module, double Weight)>? Of(
        MergePlan plan, TensorPlan tensor, TensorScan scan, TensorMerge merge)
    {
        var output = plan.Adapter!;
        var (like, each) = output.Modules[tensor.Info.Name];
        // Checks what a strategy may have got wrong.
        _ = Lowered.From(merge, tensor, scan);
        double[]? weights = merge switch
        {
            CombinationMerge combination => [.. combination.Weights],
            CopyMerge copy => [.. each.Select((_, i) => i == copy.Model ? 1.0 : 0.0)],
            _ => null,
        };
        if (weights is not null)
        {
            (AdapterModule Module, double Weight)[] used =
            [
                .. each.Zip(weights).Where(m => m.First is not null && m.Second != 0).Select(m => (m.First!, m.Second)),
            ];
            if (used.Length > 0 && output.Combination != AdapterCombination.Exact)
                FactorAverage.Check(tensor.Info.Name, used, output.Combination);
            return used;
        }
        if (output.Combination != AdapterCombination.Exact)
        {
            throw new MergeException(new Diagnostic(
                $"{plan.Strategy.Info.Id} does not combine the adapters linearly: there are no factors to average")
            {
                Where = tensor.Info.Name,
                Expected = "a linear method where 'adapter' says 'combine'",
                Fix = "Leave 'combine' out, and give a rank or an energy.",
            })
            { WrongUsage = true };
        }
        if (merge is ExpressionMerge && output.ChoiceOf(like.Name) is null)
            throw new MergeException(NoFewFactors(plan, tensor)) { WrongUsage = true };
        return null;
    }

    public static Diagnostic NoFewFactors(MergePlan plan, TensorPlan tensor) => new(
        $"{plan.Strategy.Info.Id} does not combine the adapters linearly: the result is no product of few factors")
    {
        Where = tensor.Info.Name,
        Expected = "a rank or an energy to keep",
        Fix = "Add 'adapter: {rank: 32}' or 'adapter: {energy: 0.99}' to the recipe.",
    };
}

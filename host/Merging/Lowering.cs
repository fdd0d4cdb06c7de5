using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What a <see cref="TensorMerge"/> comes to: bytes copied as they are, or an expression to run.</summary>
/// <param name="Copied">The stored tensor whose bytes are the output, or null.</param>
/// <param name="Expression">The value to compute, or null.</param>
internal readonly record struct Lowered(StoredTensor? Copied, Node? Expression)
{
    public static Lowered From(TensorMerge merge, TensorPlan plan, TensorScan scan)
    {
        switch (merge)
        {
            case ExpressionMerge expression:
                return new(null, scan.Record(expression.Merge));
            case LowRankMerge { B: var b, A: var a }:
                return new(null, scan.Record(x => scan.HasBase ? x.Base + x.LowRank(b, a) : x.LowRank(b, a)));
            case CopyMerge copy:
                return CopyOf(copy.Model ?? -1);
            case CombinationMerge combination:
                return Combination(combination);
            default:
                throw new InvalidOperationException($"no lowering for {merge.GetType().Name}");
        }

        Lowered CopyOf(int model)
        {
            if (model >= plan.Models.Length || (model < 0 && plan.Base is null))
            {
                throw MergeException.Plugin(
                    model < 0 ? "the strategy copies the base, and there is none" : $"the strategy copies model {model}",
                    expected: $"a model from 0 to {plan.Models.Length - 1}",
                    where: plan.Info.Name);
            }
            var stored = model < 0 ? plan.Base! : plan.Models[model];
            return stored.DType == plan.OutType
                ? new(stored, null)
                : new(null, scan.Record(x => model < 0 ? x.Base : x.Models[model]));
        }

        Lowered Combination(CombinationMerge combination)
        {
            var weights = combination.Weights;
            if (weights.Count != plan.Models.Length)
            {
                throw MergeException.Plugin(
                    $"the strategy combines with {weights.Count} weights",
                    expected: $"{plan.Models.Length}, one a model",
                    where: plan.Info.Name);
            }
            if (weights.FirstOrDefault(w => !double.IsFinite(w), 0) is var bad && !double.IsFinite(bad))
            {
                throw MergeException.Plugin(
                    $"the strategy combines with a weight of {bad}", expected: "finite weights", where: plan.Info.Name);
            }
            // A weight of 0 leaves its model out, so that one-hot weights give that model's own bits.
            var used = Enumerable.Range(0, weights.Count).Where(i => weights[i] != 0).ToArray();
            if (combination.Deltas)
                return used.Length == 0 ? CopyOf(-1) : new(null, scan.Record(x => x.Base + Sum(x.Deltas)));
            if (used is [var only] && weights[only] == 1)
                return CopyOf(only);
            return new(null, scan.Record(x => used.Length == 0 ? x.Models[0] * 0f : Sum(x.Models)));

            TensorExpr Sum(IReadOnlyList<TensorExpr> terms) =>
                used.Select(i => (TensorExpr)weights[i] * terms[i]).Aggregate((sum, term) => sum + term);
        }
    }
}

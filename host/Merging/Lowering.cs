using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What a <see cref="TensorMerge"/> comes to: bytes copied as they are, a weighted sum, or an expression.</summary>
/// <param name="Copied">The tensor whose bytes are the output, or null.</param>
/// <param name="Sum">The sum to compute, or null.</param>
/// <param name="Expression">The value to compute, or null.</param>
internal readonly record struct Lowered(TensorSource? Copied, ModelSum? Sum, Node? Expression)
{
    /// <summary>The value to compute, where the bytes are not copied.</summary>
    public Node Value(TensorScan scan) => Expression ?? Sum!.Record(scan);

    public static Lowered From(TensorMerge merge, TensorPlan plan, TensorScan scan)
    {
        switch (merge)
        {
            case ExpressionMerge expression:
                return new(null, null, scan.Record(expression.Merge));
            case LowRankMerge { B: var b, A: var a }:
                return new(null, null, scan.Record(x => scan.HasBase ? x.Base + x.LowRank(b, a) : x.LowRank(b, a)));
            case CopyMerge copy:
                return copy.Model is { } model && (model < 0 || model >= plan.Models.Length)
                    ? throw MergeException.Plugin(
                        $"the strategy copies model {model}",
                        expected: $"a model from 0 to {plan.Models.Length - 1}",
                        where: plan.Info.Name)
                    : CopyOf(copy.Model ?? -1);
            case CombinationMerge combination:
                return Combination(combination);
            default:
                throw new InvalidOperationException($"no lowering for {merge.GetType().Name}");
        }

        Lowered CopyOf(int model)
        {
            if (model < 0 && plan.Base is null)
            {
                throw MergeException.Plugin(
                    "the strategy copies the base, and there is none",
                    where: plan.Info.Name,
                    fix: "Declare Base: InputRole.Required, or ask TensorScan.HasBase first.");
            }
            var stored = model < 0 ? plan.Base! : plan.Models[model];
            return stored.DType == plan.OutType
                ? new(stored, null, null)
                : new(null, new ModelSum([model], [1], false), null);
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
            if (weights.Append(combination.BaseWeight).FirstOrDefault(w => !float.IsFinite((float)w), 0) is var bad && bad != 0)
            {
                throw MergeException.Plugin(
                    $"the strategy combines with a weight of {bad}",
                    expected: "weights that are finite in float32",
                    where: plan.Info.Name);
            }
            int[] used = [.. Enumerable.Range(0, weights.Count).Where(i => weights[i] != 0)];
            if (combination.Deltas)
                return used.Length == 0 ? CopyOf(-1) : SumOf(used);
            if (combination.BaseWeight != 0)
                used = [-1, .. used];
            return used switch
            {
                [] => new(null, null, scan.Record(_ => 0f)),
                [var only] when Weight(only) == 1 => CopyOf(only),
                _ => SumOf(used),
            };

            double Weight(int i) => i < 0 ? combination.BaseWeight : weights[i];

            Lowered SumOf(int[] models) =>
                new(null, new ModelSum(models, [.. models.Select(i => (float)Weight(i))], combination.Deltas), null);
        }
    }
}

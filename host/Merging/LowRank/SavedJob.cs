using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// A parameter that the adapters bring whole (of an extraction: the model's own). Without the base there is no task vector of it; an average (weights that
/// add to 1) needs none, and is all that is offered.
/// </summary>
internal sealed class SavedJob(
    MergeContext context, TensorPlan plan, IReadOnlyList<TensorSource?> each, bool isExtracted, FactorFile factors,
    Action<long> done) : IJob
{
    private const int Piece = 1 << 18;

    private readonly ScanOf _scan = new(context, plan);
    private SweepPump? _pump;
    private Task<TensorMerge>? _planning;

    public Phase? Next()
    {
        _pump ??= new(context, plan, _scan);
        if (isExtracted)
        {
            Average([1]);
            context.Progress.FinishedTensor();
            context.Progress.Finish(plan.Info.Count);
            return null;
        }
        _planning ??= StrategyCall.Run(context.Plan.Strategy, plan.Info.Name, () =>
            context.Plan.Strategy.PlanTensor(_scan.Tensor, plan.Options!, context.Survey).AsTask());
        if (_pump.Next(_planning) is { } sweep)
            return sweep;
        Average(Weights(context.Plan, plan, each, _planning.Result));
        context.Progress.FinishedTensor();
        context.Progress.Finish(plan.Info.Count);
        return null;
    }

    /// <summary>The weights of an average.</summary>
    /// <exception cref="MergeException">The strategy's answer is none, or not all have the parameter.</exception>
    public static double[] Weights(MergePlan merged, TensorPlan plan, IReadOnlyList<TensorSource?> each, TensorMerge merge)
    {
        double[]? weights = merge switch
        {
            CombinationMerge combination => [.. combination.Weights],
            CopyMerge copy => [.. each.Select((_, i) => i == copy.Model ? 1.0 : 0.0)],
            _ => null,
        };
        if (weights is not null && Math.Abs(weights.Sum() - 1) < 1e-6 && !weights.Where((w, i) => w != 0 && each[i] is null).Any())
            return weights;
        throw new MergeException(new Diagnostic(
            "the adapters bring this parameter whole (modules_to_save, or a bias), "
            + (weights is null ? $"and {merged.Strategy.Info.Id} is no average"
                : each.Contains(null) ? "but not all of them do" : $"and the weights add up to {weights.Sum():R}"))
        {
            Where = plan.Info.Name,
            Expected = "an average of adapters that all have it: without the base it has no task vector",
            Fix = "Merge whole models instead: write each as 'base+adapter'.",
        })
        { WrongUsage = true };
    }

    private void Average(double[] weights)
    {
        var at = factors.Reserve(plan.Info.Count);
        var (sum, values) = (new float[Piece], new float[Piece]);
        for (var first = 0L; first < plan.Info.Count; first += Piece)
        {
            var count = (int)Math.Min(Piece, plan.Info.Count - first);
            Array.Clear(sum);
            for (var i = 0; i < weights.Length; i++)
            {
                if (weights[i] == 0)
                    continue;
                StoredValues.Read(each[i]!, first, values.AsSpan(0, count));
                FactorValues.Check(each[i]!, values.AsSpan(0, count), isExtracted);
                context.Progress.Read(count * (each[i]!.DType.Bits() / 8));
                for (var k = 0; k < count; k++)
                    sum[k] += (float)weights[i] * values[k];
            }
            factors.Write(at + (first * sizeof(float)), sum.AsSpan(0, count));
        }
        done(at);
    }
}

using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record RowSoftmaxOptions
{
    [Parameter("tau: how evenly the models share", Bounds = "(0, inf)")]
    [Searchable(1e-4, 1, Scale = SearchScale.Logarithmic)]
    public double Temperature { get; init; } = 0.01;
}

/// <summary>
/// Each model counts, at each place, by the softmax over its row of |Δ_i|/τ: θ_0 + Σ p_i Δ_i / Σ p_i. Two sweeps within
/// a row (largest, sum) before an element's value is known.
/// </summary>
public sealed class RowSoftmax : MergeStrategy<RowSoftmaxOptions>
{
    public override StrategyInfo Info => new("row_softmax", "Row-wise softmax", Base: InputRole.Required);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, RowSoftmaxOptions options) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            TensorExpr sum = 0f;
            TensorExpr total = 0f;
            foreach (var delta in b.Deltas)
            {
                var score = delta.Abs() / options.Temperature;
                var raised = (score - score.MaxAlong()).Exp();
                var share = raised / raised.SumAlong();
                sum += share * delta;
                total += share;
            }
            return b.Base + (total > 0f).Select(sum / total, 0f);
        }));
}

using Merge.Sdk;

namespace Merge.Plugin.ModelStock;

/// <summary>The parameters of <c>model_stock</c>, as mergekit has them.</summary>
public sealed record ModelStockOptions
{
    /// <summary>Whether every vector along the last axis has a t of its own.</summary>
    [Parameter("One t for every vector along the last axis, instead of one a tensor")]
    public bool FilterWise { get; init; }
}

/// <summary>
/// Model Stock (Jang et al. 2024, arXiv:2403.19522): t θ̄ + (1−t) θ_0, θ̄ the mean of the N models and
/// t = N c / (1 + (N−1) c), c the mean cosine between pairs of task vectors. Computed as θ_0 + (t/N) Σ Δ_i, so that
/// what no model changed stays the base's, bit for bit.
/// </summary>
public sealed class ModelStockMerge : MergeStrategy<ModelStockOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "model_stock", "Model Stock", "arXiv:2403.19522", InputRole.Required, MinModels: 2,
        Formula: "t mean_i theta_i + (1-t) theta_0, t = N c / (1 + (N-1) c), c the mean cosine between task vectors");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, ModelStockOptions options) =>
        options.FilterWise ? RowByRow(tensor) : Whole(tensor);

    private static async ValueTask<TensorMerge> Whole(TensorScan tensor)
    {
        var gram = await tensor.Gram(b => b.Deltas);
        var t = Interpolation.Ratio(tensor.ModelCount, (i, j) => gram[i, j]);
        if (!double.IsFinite(t))
        {
            throw new MergeException(new Diagnostic("the task vectors have no angles: their lengths are not finite")
            {
                Where = tensor.Info.Name,
                Expected = "a tensor without NaN and infinity, in every model and in the base",
            });
        }
        return TensorMerge.CombineDeltas([.. Enumerable.Repeat(t / tensor.ModelCount, tensor.ModelCount)]);
    }

    private static async ValueTask<TensorMerge> RowByRow(TensorScan tensor)
    {
        var models = tensor.ModelCount;
        var dots = await Stat.All(
            from i in Enumerable.Range(0, models)
            from j in Enumerable.Range(i, models - i)
            select tensor.RowSums(b => b.Deltas[i] * b.Deltas[j]));
        var shares = new double[tensor.Info.RowCount];
        for (var row = 0; row < shares.Length; row++)
            shares[row] = Interpolation.Ratio(models, (i, j) => dots[Place(i, j)][row]) / models;
        return TensorMerge.From(b => b.Base + (b.Rows(shares) * b.Deltas.Aggregate((x, y) => x + y)));

        // Pairs i ≤ j, row after row of the upper triangle.
        int Place(int i, int j) => (i * models) - (i * (i - 1) / 2) + j - i;
    }
}

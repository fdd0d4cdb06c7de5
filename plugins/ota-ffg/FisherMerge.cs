using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>The parameters of <c>fisher</c>.</summary>
public sealed record FisherOptions
{
    /// <summary>Where F_i is.</summary>
    [Parameter("File of the model's diagonal Fisher information, or of any importance a parameter, such as exp_avg_sq", Required = true)]
    [SideInput(SecondMoments.Side, Suffix = SecondMoments.Suffix)]
    public PerModel<string?> FisherPath { get; init; }

    /// <summary>λ_i.</summary>
    [Parameter("lambda, the model's weight", Bounds = "[0, inf)")]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; } = 1;

    /// <summary>What is added to the scaled F_i, so that a parameter nobody cares for is averaged.</summary>
    [Parameter("Added to each scaled Fisher information", Bounds = "[1e-37, inf)")]
    public double Epsilon { get; init; } = 1e-6;
}

/// <summary>
/// Fisher-weighted averaging (Matena and Raffel 2022, arXiv:2111.09832): each parameter weighted by how much the model
/// minds its change. Each F_i is scaled to an L2 norm of 1 over the whole model, so that a model trained on more data, or
/// a file of second moments of 1e-20, counts as much as another.
/// </summary>
public sealed class FisherMerge : MergeStrategy<FisherOptions, IReadOnlyList<double>>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "fisher", "Fisher merging", "arXiv:2111.09832",
        Formula: "sum lambda_i G_i theta_i / sum lambda_i G_i, G_i = F_i / |F_i| + eps");

    /// <summary>1 / ‖F_i‖₂ of every model.</summary>
    protected override async ValueTask<IReadOnlyList<double>> Survey(ModelScan<FisherOptions> model)
    {
        int[] models = [.. Enumerable.Range(0, model.ModelCount)];
        Refusals.ThrowIfAny(
        [
            .. Refusals.OfMissing(model, (o, i) => o.FisherPath[i], "fisher_path", null, "as each is weighted by them"),
            .. model.Tensors.Where(t => models.All(i => t.Options.Weight[i] == 0)).Take(1).Select(
                t => new Diagnostic("every model has weight 0") { Expected = "one above 0", Where = t.Scan.Info.Name }),
        ]);
        var squares = await Stat.All(model.Tensors.SelectMany(t => models.Select(
            i => t.Scan.Dot(b => b.Side(SecondMoments.Side, i), b => b.Side(SecondMoments.Side, i)))));
        return [.. models.Select(i => Math.Sqrt(squares.Where((_, k) => k % models.Length == i).Sum())).Select(n => n == 0 ? 0 : 1 / n)];
    }

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FisherOptions options, IReadOnlyList<double> scales) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            int[] counted = [.. Enumerable.Range(0, tensor.ModelCount).Where(i => options.Weight[i] != 0)];
            TensorExpr[] weights =
            [
                .. counted.Select(i => options.Weight[i] * ((b.Side(SecondMoments.Side, i) * scales[i]) + options.Epsilon)),
            ];
            return Sum(counted.Zip(weights, (i, w) => w * b.Models[i])) / Sum(weights);
        }));

    private static TensorExpr Sum(IEnumerable<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record CurvatureGraftOptions
{
    [Parameter("File of Adam's second moments of the model", Name = "preconditioner_path")]
    [SideInput(CurvatureGraft.SecondMoment, Suffix = ".exp_avg_sq")]
    public PerModel<string?> PreconditionerPath { get; init; }

    [Parameter("Share of the whole model's elements grafted from each model", Bounds = "(0, 1]", Required = true)]
    public double Density { get; init; } = 1;

    [Parameter("epsilon, added to the square root of a second moment", Bounds = "(0, inf)")]
    public double Epsilon { get; init; } = 1e-8;
}

/// <summary>
/// Fast Fisher grafting with one threshold over the whole model: of each model the elements with the largest v·Δ²,
/// averaged by √v + ε. A tensor without second moments keeps the base.
/// </summary>
public sealed class CurvatureGraft : MergeStrategy<CurvatureGraftOptions, ModelCut[]>
{
    internal const string SecondMoment = "second_moment";

    public override StrategyInfo Info =>
        new("curvature_graft", "Curvature graft", "arXiv:2509.11167", InputRole.Required);

    protected override async ValueTask<ModelCut[]> Survey(ModelScan<CurvatureGraftOptions> model)
    {
        var first = model.Tensors[0];
        var keep = Math.Max(1, (long)(first.Options.Density * model.ElementCount));
        return await Stat.All(Enumerable.Range(0, first.Scan.ModelCount).Select(i => model.Largest(
            t => t.Scan.HasSide(SecondMoment, i) ? b => Saliency(b, i) : null, keep)));
    }

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, CurvatureGraftOptions options, ModelCut[] survey)
    {
        int[] models = [.. Enumerable.Range(0, tensor.ModelCount).Where(i => tensor.HasSide(SecondMoment, i))];
        if (models.Length == 0)
            return ValueTask.FromResult(TensorMerge.CopyBase());
        return ValueTask.FromResult(TensorMerge.From(b =>
        {
            TensorExpr sum = 0f;
            TensorExpr total = 0f;
            foreach (var i in models)
            {
                var weight = (b.Side(SecondMoment, i).Pow(0.5) + options.Epsilon)
                    .Masked(Saliency(b, i).KeptBy(survey[i].For(tensor.Info)));
                sum += weight * b.Deltas[i];
                total += weight;
            }
            return b.Base + (total > 0f).Select(sum / total, 0f);
        }));
    }

    // v·(Δ·Δ): (v·Δ)·Δ would underflow.
    private static TensorExpr Saliency(Block b, int model) =>
        b.Side(SecondMoment, model) * (b.Deltas[model] * b.Deltas[model]);
}

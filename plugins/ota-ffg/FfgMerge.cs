using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>What edits are ordered by.</summary>
public enum GraftMetric
{
    /// <summary>v·Δ².</summary>
    Fisher,
    /// <summary>|Δ|.</summary>
    Magnitude,
}

/// <summary>The parameters of <c>ffg</c>, named as the authors' configurations name them.</summary>
public sealed record FfgOptions : GraftOptions
{
    /// <summary>The share that is kept where neither a density nor a threshold is given: the authors'.</summary>
    public const double DefaultDensity = 0.1;

    /// <summary>Where v is.</summary>
    [Parameter("File of the model's second moments (Adam's exp_avg_sq), or org/name/path/file in the Hugging Face cache; without, |theta - theta_0| decides")]
    [SideInput(SecondMoments.Side, Suffix = SecondMoments.Suffix)]
    public PerModel<string?> PreconditionerPath { get; init; }

    /// <summary>What edits are ordered by.</summary>
    [Parameter("What edits are ordered by: fisher, v (theta - theta_0)^2, or magnitude, |theta - theta_0|")]
    public GraftMetric Metric { get; init; }
}

/// <summary>
/// Fast Fisher Grafting of one model (Mahdavinia et al. 2025, arXiv:2509.11167): the base with the model's most salient
/// edits, bit for bit. Where a tensor has no second moments, the largest edits are taken for the most salient.
/// </summary>
public sealed class FfgMerge : GraftStrategy<FfgOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ffg", "Fast Fisher Grafting", "arXiv:2509.11167", InputRole.Required, MaxModels: 1,
        Formula: "theta_0 + M (theta - theta_0), M = [v (theta - theta_0)^2 among the largest]");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, FfgOptions options, ModelCuts survey)
    {
        var known = survey.Moments(tensor.Info);
        var v = known ?? new SecondMoments(tensor, options);
        if (known is null)
            v.Approximated(await v.Sums, await v.Matrices, options);
        var cuts = await AskCuts(tensor, options, v);
        return cuts is [var only] && only == Cut.KeepNone ? TensorMerge.CopyBase()
            : Masks(tensor, options, v, survey, cuts)[0] is { } mask
                ? TensorMerge.From(b => mask(b).Select(b.Models[0], b.Base))
                : TensorMerge.Copy(0);
    }

    private protected override TensorExpr Score(Block b, TensorScan tensor, FfgOptions options, SecondMoments v, int model) =>
        options.Metric == GraftMetric.Fisher && v.Has(model)
            ? Saliency.Of(b, tensor, v, model)
            : b.Deltas[model].Abs();

    private protected override double? TensorDensity(FfgOptions options, int model) =>
        options.PrecondThreshold[model] is not null || options.DensityScope == DensityScope.Model ? null
        : options.Density[model] ?? FfgOptions.DefaultDensity;

    private protected override IEnumerable<Diagnostic> Refused(ModelScan<FfgOptions> model)
    {
        // |Δ| of one tensor and v·Δ² of another are no two numbers to compare.
        var some = model.Tensors.Any(t => t.Scan.HasSide(SecondMoments.Side, 0));
        return Refusals.OfMissing(
            model,
            (o, i) => o.PreconditionerPath[i],
            "preconditioner_path",
            (o, i) => o.Metric == GraftMetric.Fisher
                && (o.PrecondThreshold[i] is not null || (o.DensityScope == DensityScope.Model && some)),
            "as one threshold is for all of them");
    }
}

using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>The parameters of <c>slerp</c>, as mergekit has them.</summary>
public sealed record SlerpOptions
{
    /// <summary>t: 0 is the base, 1 the model.</summary>
    [Parameter("t, the way from the base (0) to the model (1)", Required = true)]
    [Searchable(0, 1)]
    public double T { get; init; }
}

/// <summary>
/// Spherical interpolation from the base to a model: (sin((1−t)φ) θ_0 + sin(tφ) θ_1) / sin φ, φ the angle between the
/// two as whole tensors. Where |cos φ| exceeds 0.9995 the arc is as good as its chord, (1−t) θ_0 + t θ_1.
/// </summary>
public sealed class SlerpMerge : MergeStrategy<SlerpOptions>
{
    private const double Parallel = 0.9995;
    private const double VanishingNorm = 1e-8;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "slerp", "SLERP", "doi:10.1145/325334.325242", InputRole.Required, MaxModels: 1,
        Formula: "(sin((1-t) phi) theta_0 + sin(t phi) theta_1) / sin phi; (1-t) theta_0 + t theta_1 if "
            + "|cos phi| > 0.9995");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SlerpOptions options)
    {
        var gram = FiniteGram.Checked(await tensor.Gram(b => [b.Base, b.Models[0]]), tensor.Info);
        var cosine = gram[0, 1] / (Length(gram.Norm(0)) * Length(gram.Norm(1)));
        var (first, second) = Math.Abs(cosine) > Parallel
            ? Arc.Chord(options.T)
            : Arc.At(options.T, Math.Acos(cosine));
        return TensorMerge.Combine([second], baseWeight: first);
    }

    // A tensor that vanishes is not normalised: it is at a right angle to everything.
    private static double Length(double norm) => norm > VanishingNorm ? norm : 1;
}

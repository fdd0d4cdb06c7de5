using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record SlerpOptions
{
    [Parameter("The way from the base (0) to the model (1)", Required = true)]
    [Searchable(0, 1)]
    public double T { get; init; }
}

/// <summary>Spherical interpolation; its two coefficients follow from one Gram matrix.</summary>
public sealed class Slerp : MergeStrategy<SlerpOptions>
{
    private const double Parallel = 0.9995;
    private const double VanishingNorm = 1e-8;

    public override StrategyInfo Info => new("slerp", "SLERP", Base: InputRole.Required, MaxModels: 1);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SlerpOptions options)
    {
        var gram = await tensor.Gram(b => [b.Base, b.Models[0]]);
        var (c0, c1) = Coefficients(gram, options.T);
        return TensorMerge.Combine([c1], baseWeight: c0);
    }

    private static (double C0, double C1) Coefficients(Matrix gram, double t)
    {
        var cosine = gram[0, 1] / (Norm(gram[0, 0]) * Norm(gram[1, 1]));
        if (Math.Abs(cosine) > Parallel)
            return (1 - t, t);
        var angle = Math.Acos(cosine);
        return (Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle));
    }

    // A vector that vanishes is left as it is, not normalised.
    private static double Norm(double squared) => Math.Sqrt(squared) is var norm && norm > VanishingNorm ? norm : 1;
}

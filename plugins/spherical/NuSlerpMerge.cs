using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>The parameters of <c>nuslerp</c>, as mergekit has them.</summary>
public sealed record NuSlerpOptions
{
    /// <summary>w_1 and w_2: t = w_2 / (w_1 + w_2).</summary>
    [Parameter("Weight of the model; t = w_2 / (w_1 + w_2)", Required = true)]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; }

    /// <summary>Whether a tensor is one vector; else every vector along an axis has an angle of its own.</summary>
    [Parameter("One angle for the whole tensor; false: one for every vector along an axis")]
    public bool NuslerpFlatten { get; init; } = true;

    /// <summary>Along which axis the vectors lie where the tensor is not flattened.</summary>
    [Parameter("Without flattening: vectors along the first axis instead of the last")]
    public bool NuslerpRowWise { get; init; }
}

/// <summary>
/// Spherical interpolation between two models, or between their task vectors where there is a base:
/// (sin((1−t)φ) v_1 + sin(tφ) v_2) / sin φ with t = w_2/(w_1+w_2), φ the angle of the whole tensors or of each pair of
/// vectors along an axis.
/// </summary>
public sealed class NuSlerpMerge : MergeStrategy<NuSlerpOptions>
{
    private const double VanishingSum = 1e-6;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "nuslerp", "NuSLERP", Base: InputRole.Optional, MinModels: 2, MaxModels: 2,
        Formula: "(sin((1-t) phi) v_1 + sin(t phi) v_2) / sin phi, t = w_2 / (w_1 + w_2); with a base: theta_0 + that "
            + "of the task vectors");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, NuSlerpOptions options)
    {
        var t = Way(options.Weight[0], options.Weight[1]);
        if (t is 0 or 1)
            return TensorMerge.Copy((int)t);
        if (options.NuslerpFlatten)
            return await Flattened(tensor, t);
        if (!options.NuslerpRowWise || tensor.Info.Rank < 2)
            return await VectorArcs.AlongRows(tensor, t);
        return tensor.Info.Rank == 2
            ? await VectorArcs.AlongColumns(tensor, t)
            : VectorArcs.AlongFirstAxis(tensor, t);
    }

    private static async ValueTask<TensorMerge> Flattened(TensorScan tensor, double t)
    {
        var gram = await FiniteGram.OfModels(tensor);
        var (first, second) = VectorArcs.Coefficients(t, gram[0, 0], gram[0, 1], gram[1, 1]);
        return tensor.HasBase ? TensorMerge.CombineDeltas([first, second]) : TensorMerge.Combine([first, second]);
    }

    private static double Way(double first, double second) =>
        Math.Abs(first + second) < VanishingSum ? 0.5 : second / (first + second);
}

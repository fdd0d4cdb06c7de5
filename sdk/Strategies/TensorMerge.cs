namespace Merge.Sdk;

/// <summary>How the output of one tensor is made.</summary>
public abstract class TensorMerge
{
    private protected TensorMerge()
    {
    }

    /// <summary>
    /// The output is the value of an expression. <paramref name="merge"/> runs once, to record it; the host then runs
    /// the recording for every block, on any device, by many threads.
    /// </summary>
    public static TensorMerge From(Func<Block, TensorExpr> merge) => new ExpressionMerge(merge);

    /// <summary>
    /// w_0 θ_0 + Σ w_i θ_i. Coefficients are rounded to float32; every product and every partial sum is rounded, in
    /// order, the base first. A coefficient of 0 leaves its model out, and a single coefficient of 1 copies that model.
    /// </summary>
    /// <param name="weights">One coefficient a model; any sign, need not add to 1.</param>
    /// <param name="baseWeight">The base's coefficient; not 0 only where there is a base.</param>
    public static TensorMerge Combine(IReadOnlyList<double> weights, double baseWeight = 0) =>
        new CombinationMerge(weights, baseWeight, false);

    /// <summary>
    /// θ_0 + (Σ w_i Δ_i), rounded as <see cref="Combine"/>, the base added last. Needs a base.
    /// </summary>
    /// <param name="weights">One coefficient a model; any sign, need not add to 1.</param>
    public static TensorMerge CombineDeltas(IReadOnlyList<double> weights) => new CombinationMerge(weights, 1, true);

    /// <summary>θ_0 + B·A, or B·A where there is no base. For 2-D tensors [m, n]: ask <see cref="TensorInfo.Rank"/> first.</summary>
    /// <param name="b">m×r.</param>
    /// <param name="a">r×n.</param>
    public static TensorMerge LowRank(Matrix b, Matrix a) => new LowRankMerge(b, a);

    /// <summary>Model <paramref name="model"/> as it is (bit for bit where the output dtype is its own).</summary>
    public static TensorMerge Copy(int model) => new CopyMerge(model);

    /// <summary>The base as it is (bit for bit where the output dtype is its own).</summary>
    public static TensorMerge CopyBase() => new CopyMerge(null);
}

internal sealed class ExpressionMerge(Func<Block, TensorExpr> merge) : TensorMerge
{
    public Func<Block, TensorExpr> Merge { get; } = merge;
}

internal sealed class CombinationMerge(IReadOnlyList<double> weights, double baseWeight, bool deltas) : TensorMerge
{
    public IReadOnlyList<double> Weights { get; } = weights;

    public double BaseWeight { get; } = baseWeight;

    public bool Deltas { get; } = deltas;
}

internal sealed class LowRankMerge(Matrix b, Matrix a) : TensorMerge
{
    public Matrix B { get; } = b;

    public Matrix A { get; } = a;
}

internal sealed class CopyMerge(int? model) : TensorMerge
{
    /// <summary>The model, or null for the base.</summary>
    public int? Model { get; } = model;
}

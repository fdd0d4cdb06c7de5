using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>Singular triples, one a column of U and of V.</summary>
/// <param name="U">m×k.</param>
/// <param name="Sigma">k of them.</param>
/// <param name="V">n×k.</param>
internal sealed record Triples(Matrix U, double[] Sigma, Matrix V)
{
    /// <summary>Those with the largest σ.</summary>
    public static Triples Top(Svd svd, int count) =>
        new(svd.U[.., ..count], svd.Sigma[..count], svd.Vt[..count, ..].Transpose());

    /// <summary>All of them, in order.</summary>
    public static Triples SideBySide(IReadOnlyList<Triples> parts) => new(
        Matrix.SideBySide([.. parts.Select(p => p.U)]),
        [.. parts.SelectMany(p => p.Sigma)],
        Matrix.SideBySide([.. parts.Select(p => p.V)]));
}

using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>The leading singular triples of a value X [m, n], and what they leave out.</summary>
/// <param name="U">m×r, orthonormal columns.</param>
/// <param name="Sigma">r singular values, descending.</param>
/// <param name="Vt">r×n, orthonormal rows.</param>
/// <param name="Energy">‖X‖²_F, all of it.</param>
internal sealed record TruncatedSvd(Matrix U, double[] Sigma, Matrix Vt, double Energy)
{
    public int Rank => Sigma.Length;

    /// <summary>‖X − UΣVᵀ‖_F / ‖X‖_F. U's columns are orthonormal and ΣVᵀ = UᵀX, so by Pythagoras it follows from the
    /// energies: no estimate. 0 for X = 0.</summary>
    public double RelativeError => Energy == 0 ? 0 : Math.Sqrt(Math.Max(0, Energy - Kept) / Energy);

    /// <summary>Σ σ².</summary>
    public double Kept => Sigma.Sum(s => s * s);

    /// <summary>The first <paramref name="rank"/> triples.</summary>
    public TruncatedSvd Take(int rank)
    {
        if (rank >= Rank)
            return this;
        var u = new Matrix(U.Rows, rank);
        for (var i = 0; i < U.Rows; i++)
            U.Row(i)[..rank].CopyTo(u.Row(i));
        var vt = new Matrix(rank, Vt.Columns);
        for (var k = 0; k < rank; k++)
            Vt.Row(k).CopyTo(vt.Row(k));
        return new(u, Sigma[..rank], vt, Energy);
    }
}

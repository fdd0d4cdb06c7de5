using Merge.Adapters;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>The singular value decomposition of L·R from its factors: QR of each, and an SVD as small as their rank. The
/// product itself is never made.</summary>
internal static class FactorAlgebra
{
    public static TruncatedSvd Decompose(Factors factors, RankChoice choice, ILinearAlgebra algebra)
    {
        var rows = factors.Left.Length / factors.Rank;
        var left = algebra.Qr(Wide(factors.Left, rows, factors.Rank));
        var right = algebra.Qr(Wide(factors.Right, factors.Rank, factors.Width).Transpose());
        var core = algebra.Svd(algebra.Multiply(left.R, right.R.Transpose()));
        var svd = new TruncatedSvd(
            algebra.Multiply(left.Q, core.U),
            core.Sigma,
            algebra.Multiply(core.Vt, right.Q.Transpose()),
            core.Sigma.Sum(s => s * s));
        return svd.Take(choice.Of(svd.Sigma, svd.Energy));
    }

    private static Matrix Wide(float[] values, int rows, int columns) =>
        new(rows, columns, Array.ConvertAll(values, v => (double)v));
}

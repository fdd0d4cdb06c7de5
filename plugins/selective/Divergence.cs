using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>
/// KL(p ‖ q) = Σ p ln(p/q) of every row, p and q the softmax of two values. As base and fine-tune are close, terms of
/// either sign cancel to 1e-5 of themselves and less; so the sum is taken over q·h(z), z = p/q − 1, with
/// h(z) = (1+z) ln(1+z) − z ≥ 0, which is the same since p and q have one sum.
/// </summary>
internal static class Divergence
{
    private const double ProbabilityFloor = 1e-8;
    private const double SmallRatio = 0.125;
    private const int SeriesOrder = 9;

    /// <summary>The divergence of a row, repeated along it.</summary>
    public static TensorExpr OfRows(TensorExpr values, TensorExpr from)
    {
        var (p, q) = (Probabilities(values), Probabilities(from));
        var z = (p - q) / q;
        var direct = (p / q * (p / q).Log()) - z;
        return (q * (z.Abs() < SmallRatio).Select(Series(z), direct)).SumAlong();
    }

    private static TensorExpr Probabilities(TensorExpr values)
    {
        var raised = (values - values.MaxAlong()).Exp();
        return (raised / raised.SumAlong()) + ProbabilityFloor;
    }

    /// <summary>z²/2 − z³/6 + z⁴/12 − …, the k-th power over k(k−1).</summary>
    private static TensorExpr Series(TensorExpr z)
    {
        TensorExpr sum = 0f;
        for (var k = SeriesOrder; k >= 2; k--)
            sum = (sum * -z) + (1.0 / (k * (k - 1)));
        return sum * z * z;
    }
}

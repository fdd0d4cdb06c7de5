namespace Merge.Plugin.ModelStock;

/// <summary>How far to go from the base to the mean of the models.</summary>
internal static class Interpolation
{
    private const double VanishingProduct = 1e-6;
    private const double VanishingDivisor = 1e-6;

    /// <summary>
    /// t = N c / (1 + (N−1) c), c the mean over pairs of Δ_i·Δ_j / max(‖Δ_i‖‖Δ_j‖, 1e-6), each within [−1, 1]. The pole
    /// at c = −1/(N−1) is where task vectors of one length add up to nothing: there the base stays, t = 0.
    /// </summary>
    /// <param name="models">N, at least 2.</param>
    /// <param name="dot">Δ_i·Δ_j for i ≤ j.</param>
    public static double Ratio(int models, Func<int, int, double> dot)
    {
        var sum = 0.0;
        for (var i = 0; i < models; i++)
        {
            for (var j = i + 1; j < models; j++)
            {
                var lengths = Math.Sqrt(dot(i, i)) * Math.Sqrt(dot(j, j));
                sum += Math.Clamp(dot(i, j) / Math.Max(lengths, VanishingProduct), -1, 1);
            }
        }
        var cosine = sum / (models * (models - 1) / 2);
        var divisor = 1 + ((models - 1) * cosine);
        return Math.Abs(divisor) < VanishingDivisor ? 0 : models * cosine / divisor;
    }
}

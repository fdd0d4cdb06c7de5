using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>
/// The Karcher mean of unit vectors u_i, sought in their span: a point is its coefficients c, u = Σ c_i u_i, and all
/// lengths and angles follow from the cosines u_i·u_j.
/// </summary>
internal static class KarcherMean
{
    /// <summary>The coefficients of the mean; u has length 1.</summary>
    /// <param name="cosines">u_i·u_j.</param>
    /// <param name="steps">Most steps u ← cos‖T‖ u + sin‖T‖ T/‖T‖.</param>
    /// <param name="tolerance">A ‖T‖ or an angle below it is none.</param>
    public static double[] Of(Matrix cosines, int steps, double tolerance)
    {
        var point = Start(cosines, tolerance);
        for (var step = 0; step < steps; step++)
        {
            var tangent = Tangent(cosines, point, tolerance);
            var length = cosines.Length(tangent);
            if (length < tolerance)
                break;
            double[] moved =
                [.. point.Zip(tangent, (c, t) => (Math.Cos(length) * c) + (Math.Sin(length) * t / length))];
            var norm = cosines.Length(moved);
            point = [.. moved.Select(c => c / norm)];
        }
        return point;
    }

    /// <summary>The direction of the sum; the first vector's where the sum vanishes.</summary>
    private static double[] Start(Matrix cosines, double tolerance)
    {
        double[] mean = [.. Enumerable.Repeat(1.0 / cosines.Rows, cosines.Rows)];
        var norm = cosines.Length(mean);
        return norm < tolerance ? [.. mean.Select((_, i) => i == 0 ? 1.0 : 0)] : [.. mean.Select(c => c / norm)];
    }

    /// <summary>
    /// T = Σ α_i (φ_i / sin φ_i)(u_i − (u·u_i) u). Vectors at the point have no part in it, nor those opposite to it:
    /// every way to them is as short.
    /// </summary>
    private static double[] Tangent(Matrix cosines, double[] point, double tolerance)
    {
        var tangent = new double[point.Length];
        for (var i = 0; i < point.Length; i++)
        {
            var dot = 0.0;
            for (var j = 0; j < point.Length; j++)
                dot += cosines[i, j] * point[j];
            dot = Math.Clamp(dot, -1, 1);
            var angle = Math.Acos(dot);
            if (angle < tolerance || Math.PI - angle < tolerance)
                continue;
            var pull = angle / Math.Sin(angle) / point.Length;
            for (var j = 0; j < point.Length; j++)
                tangent[j] -= pull * dot * point[j];
            tangent[i] += pull;
        }
        return tangent;
    }
}

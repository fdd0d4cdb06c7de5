namespace Merge.Plugin.Spherical;

/// <summary>The coefficients of two vectors at t along the arc between their directions.</summary>
internal static class Arc
{
    /// <summary>sin((1−t)φ)/sin φ and sin(tφ)/sin φ, for an angle whose sine does not vanish.</summary>
    public static (double First, double Second) At(double t, double angle) =>
        (Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle));

    /// <summary>The chord in place of the arc: 1−t and t.</summary>
    public static (double First, double Second) Chord(double t) => (1 - t, t);
}

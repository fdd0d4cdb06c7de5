namespace Merge.Reports.Charts;

/// <summary>A range of values laid out along a length, with ticks at round numbers.</summary>
internal sealed class Axis
{
    private readonly double _low;
    private readonly double _high;
    private readonly double _from;
    private readonly double _to;

    private Axis(double low, double high, double from, double to, double step)
    {
        (_low, _high, _from, _to, Step) = (low, high, from, to, step);
        for (var k = Math.Ceiling((low / step) - 1e-9); k * step <= high + (1e-9 * step); k++)
            Ticks.Add(k * step);
    }

    public double Low => _low;

    public double High => _high;

    /// <summary>Distance of two ticks.</summary>
    public double Step { get; }

    public List<double> Ticks { get; } = [];

    /// <summary>Covers all finite values, and a little more; a single value lies in the middle.</summary>
    /// <param name="values">None: 0 to 1.</param>
    /// <param name="from">Place of the lowest value.</param>
    /// <param name="to">Place of the highest.</param>
    /// <param name="ticks">About how many ticks.</param>
    public static Axis Of(IEnumerable<double> values, double from, double to, int ticks = 6)
    {
        // Beyond that a range could overflow; and one far below its values' precision has no ticks.
        double[] finite = [.. values.Where(v => Math.Abs(v) < 1e150)];
        var (low, high) = finite.Length == 0 ? (0.0, 1.0) : (finite.Min(), finite.Max());
        var least = high > low ? 1e-9 : 0.1;
        var margin = Math.Max(0.04 * (high - low), Math.Max(least * Math.Max(Math.Abs(low), Math.Abs(high)), 1e-12));
        return Between(low - margin, high + margin, from, to, ticks);
    }

    /// <summary>Covers exactly this range.</summary>
    public static Axis Between(double low, double high, double from, double to, int ticks = 6)
    {
        var raw = (high - low) / ticks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var step = power * (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        return new(low, high, from, to, step);
    }

    /// <summary>Where a value lies; values outside the range lie at its ends.</summary>
    public double At(double value) =>
        _from + ((Math.Clamp(value, _low, _high) - _low) / (_high - _low) * (_to - _from));

    public bool Covers(double value) => value >= _low && value <= _high;
}

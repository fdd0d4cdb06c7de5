namespace Merge.Sdk;

/// <summary>One number a search chooses.</summary>
/// <param name="Name">Unique in its space, for example <c>coefficient[3]</c> or <c>weight[0]/layers 8-15</c>.</param>
/// <param name="Parameter">The strategy's parameter it is a value of.</param>
/// <param name="Low">Lowest value of the range that is looked at first.</param>
/// <param name="High">Highest value of that range; above <paramref name="Low"/>.</param>
public sealed record SearchDimension(string Name, string Parameter, double Low, double High)
{
    /// <summary>The model it belongs to, from 0; null for a parameter of all models.</summary>
    public int? Model { get; init; }

    /// <summary>The layers or modules it belongs to; null where it holds for the whole model.</summary>
    public string? Group { get; init; }

    /// <summary>How the range is stepped through.</summary>
    public SearchScale Scale { get; init; }

    /// <summary>Whether only whole numbers count.</summary>
    public bool IsInteger { get; init; }

    /// <summary>Lowest value the strategy takes; a search may leave the range, but not this.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>Highest value the strategy takes.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>The recipe's own value, where it gives one: a good place to start.</summary>
    public double? Start { get; init; }

    /// <summary>The value at a place of the range: 0 is <see cref="Low"/>, 1 is <see cref="High"/>; others lie outside
    /// it. The result is one the strategy takes.</summary>
    public double At(double place)
    {
        var value = Scale == SearchScale.Logarithmic
            ? Low * Math.Pow(High / Low, place)
            : Low + (place * (High - Low));
        return Nearest(value);
    }

    /// <summary>The place of a value: 0 at <see cref="Low"/>, 1 at <see cref="High"/>.</summary>
    public double PlaceOf(double value) => Scale == SearchScale.Logarithmic
        ? Math.Log(value / Low) / Math.Log(High / Low)
        : (value - Low) / (High - Low);

    /// <summary>The value nearest to this one that the strategy takes.</summary>
    public double Nearest(double value) =>
        Math.Clamp(IsInteger ? Math.Round(value) : value, Minimum, Maximum);
}

namespace Merge.Sdk;

/// <summary>How a search steps through a parameter's range.</summary>
public enum SearchScale
{
    /// <summary>Equal steps are equally interesting.</summary>
    Linear,
    /// <summary>Equal factors are equally interesting; the range must be positive.</summary>
    Logarithmic,
}

/// <summary>A numeric parameter that a search may choose, and where it looks by default.</summary>
/// <param name="low">Lowest value tried.</param>
/// <param name="high">Highest value tried.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SearchableAttribute(double low, double high) : Attribute
{
    /// <summary>Lowest value tried.</summary>
    public double Low { get; } = low;

    /// <summary>Highest value tried.</summary>
    public double High { get; } = high;

    /// <summary>How the range is stepped through.</summary>
    public SearchScale Scale { get; init; }

    /// <summary>Of a parameter per model: the first model's value is 1 minus the others' and is not searched.</summary>
    public bool ExceptFirst { get; init; }
}

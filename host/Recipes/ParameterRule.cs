namespace Merge.Recipes;

/// <summary>A parameter's value as a function of the tensor: read and valid, whatever tensor will ask.</summary>
internal abstract record ParameterRule
{
    /// <summary>The value for a tensor; null where no filter matches it.</summary>
    /// <param name="tensor">Its name.</param>
    /// <param name="t">Where its layer stands in its slice, from 0 to 1.</param>
    public abstract BoundValue? At(string tensor, double t);
}

internal sealed record ConstantRule(object? Value, int Line) : ParameterRule
{
    public override BoundValue? At(string tensor, double t) => new(Value, Line);
}

/// <summary>Numbers at equal distances over t = 0 … 1, straight lines between.</summary>
internal sealed record GradientRule(IReadOnlyList<double> Points, int Line) : ParameterRule
{
    // In mergekit's order of operations: the same bits.
    public override BoundValue? At(string tensor, double t)
    {
        var scaled = t * (Points.Count - 1);
        var before = (int)scaled;
        var after = Math.Min(Points.Count - 1, before + 1);
        var share = scaled - before;
        return new(((1 - share) * Points[before]) + (share * Points[after]), Line);
    }
}

/// <summary>Values that have no between: item ⌊t·(n−1)⌋.</summary>
internal sealed record StepsRule(IReadOnlyList<object?> Items, int Line) : ParameterRule
{
    public override BoundValue? At(string tensor, double t) => new(Items[(int)(t * (Items.Count - 1))], Line);
}

/// <summary>The first filter that is part of the tensor's name decides.</summary>
internal sealed record FilterRule(IReadOnlyList<(string? Filter, ParameterRule Rule)> Items) : ParameterRule
{
    public override BoundValue? At(string tensor, double t)
    {
        foreach (var (filter, rule) in Items)
        {
            if (Matches(filter, tensor))
                return rule.At(tensor, t);
        }
        return null;
    }

    public static bool Matches(string? filter, string tensor) =>
        IsForAll(filter) || tensor.Contains(filter!, StringComparison.Ordinal);

    public static bool IsForAll(string? filter) => filter is null or "*";
}

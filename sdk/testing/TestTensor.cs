namespace Merge.Testing;

/// <summary>A tensor in memory.</summary>
/// <param name="Shape">Sizes, outermost first; empty for a 0-dim tensor.</param>
/// <param name="Values">Row-major, as many as the product of the shape.</param>
/// <exception cref="ArgumentException">There are more values, or fewer.</exception>
public sealed record TestTensor(IReadOnlyList<long> Shape, float[] Values)
{
    /// <summary>Row-major, as many as the product of the shape.</summary>
    public float[] Values { get; init; } = Values.Length == Shape.Aggregate(1L, (count, size) => count * size)
        ? Values
        : throw new ArgumentException($"{Count(Values)} given for a tensor of shape [{string.Join(", ", Shape)}], "
            + $"which holds {Shape.Aggregate(1L, (count, size) => count * size)}.");

    /// <summary>A 1-D tensor.</summary>
    public static TestTensor Of(params float[] values) => new([values.Length], values);

    /// <summary>A 2-D tensor of as many rows as the values fill.</summary>
    /// <param name="columns">Length of a row; divides the number of values.</param>
    /// <param name="values">Row by row.</param>
    /// <exception cref="ArgumentException">The values do not fill rows of this length.</exception>
    public static TestTensor Rows(int columns, params float[] values) => columns > 0 && values.Length % columns == 0
        ? new([values.Length / columns, columns], values)
        : throw new ArgumentException($"{Count(values)} given, which do not fill rows of {columns}: the first argument is the length of "
            + "a row, the values follow row by row, as Rows(columns: 2, 1, 2, 3, 4).");

    private static string Count(float[] values) => values.Length == 1 ? "1 value is" : $"{values.Length} values are";
}

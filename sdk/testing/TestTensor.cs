namespace Merge.Testing;

/// <summary>A tensor in memory.</summary>
/// <param name="Shape">Sizes, outermost first; empty for a 0-dim tensor.</param>
/// <param name="Values">Row-major, as many as the product of the shape.</param>
public sealed record TestTensor(IReadOnlyList<long> Shape, float[] Values)
{
    /// <summary>A 1-D tensor.</summary>
    public static TestTensor Of(params float[] values) => new([values.Length], values);

    /// <summary>A 2-D tensor.</summary>
    /// <param name="columns">Length of a row; divides the number of values.</param>
    /// <param name="values">Row by row.</param>
    public static TestTensor Rows(int columns, params float[] values) => new([values.Length / columns, columns], values);
}

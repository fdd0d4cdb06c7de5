namespace Plugins.Tests;

/// <summary>A tensor in memory.</summary>
internal sealed record ArrayTensor(long[] Shape, float[] Values)
{
    public static ArrayTensor Of(params float[] values) => new([values.Length], values);
}

/// <summary>
/// What goes into a merge. A side input holds one file a model (null: none), keyed by the attribute's name; in it a
/// tensor is found under the parameter's name, or as NAME.row_sum and NAME.column_sum.
/// </summary>
internal sealed record MergeInputs(IReadOnlyList<IReadOnlyDictionary<string, ArrayTensor>> Models)
{
    public IReadOnlyDictionary<string, ArrayTensor>? Base { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> Sides { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>();

    public ulong Seed { get; init; }

    /// <summary>Checkpoints of one tensor <c>w</c> each.</summary>
    public static MergeInputs OfOne(ArrayTensor? theta0, params ArrayTensor[] models) =>
        new([.. models.Select(One)]) { Base = theta0 is null ? null : One(theta0) };

    private static Dictionary<string, ArrayTensor> One(ArrayTensor tensor) => new() { ["w"] = tensor };
}

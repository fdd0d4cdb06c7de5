namespace Merge.Sdk;

/// <summary>
/// Where the largest scores end. Kept are the scores above <see cref="Value"/>, and of those equal to it the ones
/// whose index is below <see cref="IndexLimit"/>: exactly as many as were asked for, however many tie.
/// Scores are ordered as numbers, -0 equal to +0, NaN above all.
/// </summary>
/// <param name="Value">The lowest score that is kept (some of).</param>
/// <param name="IndexLimit">Scores equal to <paramref name="Value"/> are kept at indices below this.</param>
public readonly record struct Cut(float Value, long IndexLimit)
{
    /// <summary>Keeps every element.</summary>
    public static Cut KeepAll { get; } = new(float.NegativeInfinity, long.MaxValue);

    /// <summary>Keeps no element.</summary>
    public static Cut KeepNone { get; } = new(float.NaN, 0);
}

/// <summary>Where the largest scores of a whole model end: exactly as many stay as were asked for.</summary>
public sealed class ModelCut
{
    private readonly IReadOnlyDictionary<string, Cut> _cuts;

    internal ModelCut(float value, IReadOnlyDictionary<string, Cut> cuts)
    {
        Value = value;
        _cuts = cuts;
    }

    /// <summary>The lowest score that is kept (some of).</summary>
    public float Value { get; }

    /// <summary>The cut to apply to a tensor of the model; keeps nothing of one that had no score.</summary>
    public Cut For(TensorInfo tensor) => _cuts.TryGetValue(tensor.Name, out var cut) ? cut : Cut.KeepNone;
}

/// <summary>Smallest and largest value; NaN where any element is. (+inf, -inf) for no elements.</summary>
/// <param name="Min">Smallest.</param>
/// <param name="Max">Largest.</param>
public readonly record struct ValueRange(float Min, float Max);

namespace Merge.Samples.Digits;

/// <summary>
/// The weights of one classifier (or, in the same shape, the optimiser's moments): 64 pixels, two hidden layers with
/// ReLU, a layer norm, a head of ten digits.
/// </summary>
/// <param name="Tensors">Every tensor of <see cref="Layout"/> by its name: shape and values, row-major.</param>
public sealed record DigitsModel(IReadOnlyDictionary<string, (int[] Shape, float[] Values)> Tensors)
{
    internal const int Hidden = 64;
    internal const int Digits = 10;

    /// <summary>Names and shapes, in the order of the network.</summary>
    public static IReadOnlyList<(string Name, int[] Shape)> Layout { get; } =
    [
        ("layers.0.weight", [Hidden, DigitsSplit.PixelsPerImage]),
        ("layers.0.bias", [Hidden]),
        ("layers.1.weight", [Hidden, Hidden]),
        ("layers.1.bias", [Hidden]),
        ("norm.weight", [Hidden]),
        ("norm.bias", [Hidden]),
        ("head.weight", [Digits, Hidden]),
        ("head.bias", [Digits]),
    ];

    /// <summary>An untrained model: weights uniform within ±√(3 / inputs), biases 0, the norm 1.</summary>
    public static DigitsModel Initial(ulong seed)
    {
        var values = Zeros();
        for (var t = 0; t < Layout.Count; t++)
            if (Layout[t].Shape is [_, var inputs])
            {
                var bound = MathF.Sqrt(3f / inputs);
                for (var i = 0; i < values[t].Length; i++)
                    values[t][i] = bound * (2 * CounterRandom.Uniform(seed, (ulong)t, (ulong)i) - 1);
            }
            else if (Layout[t].Name == "norm.weight")
                Array.Fill(values[t], 1f);

        return FromValues(values);
    }

    internal static float[][] Zeros() =>
        [.. Layout.Select(t => new float[t.Shape.Aggregate(1, (size, extent) => size * extent)])];

    /// <summary>A model of copies of these values, in the order of <see cref="Layout"/>.</summary>
    internal static DigitsModel FromValues(float[][] values) => new(
        Layout.Zip(values).ToDictionary(
            pair => pair.First.Name, pair => (pair.First.Shape, (float[])pair.Second.Clone())));

    /// <summary>Copies of the values in the order of <see cref="Layout"/>.</summary>
    /// <exception cref="ArgumentException">A tensor is absent or has another shape.</exception>
    internal float[][] CopyValues() =>
    [
        .. Layout.Select(t =>
            Tensors.TryGetValue(t.Name, out var tensor) && tensor.Shape.SequenceEqual(t.Shape)
                ? (float[])tensor.Values.Clone()
                : throw new ArgumentException($"No tensor '{t.Name}' of shape [{string.Join(", ", t.Shape)}]."))
    ];
}

using Merge.Sdk;

namespace Merge.Testing;

/// <summary>Shapes a method meets in models, and values like those of weights.</summary>
internal static class TestValues
{
    /// <summary>Rows longer and shorter than the smallest blocks, many ties, all ranks.</summary>
    public static IReadOnlyDictionary<string, long[]> Shapes { get; } = new Dictionary<string, long[]>
    {
        ["layers.0.bias"] = [301],
        ["layers.0.weight"] = [24, 17],
        ["layers.1.conv.weight"] = [3, 4, 5, 7],
        ["layers.1.long.weight"] = [5, 777],
        ["layers.1.ties.weight"] = [16, 33],
    };

    /// <summary>Base (0) about ±½, models about ±⅛ around it; in "ties" only some values occur.</summary>
    public static IReadOnlyDictionary<string, TestTensor> Checkpoint(IReadOnlyDictionary<string, long[]> shapes, int number) =>
        shapes.Index().ToDictionary(s => s.Item.Key, s =>
        {
            var theta0 = Draw(1 + (ulong)s.Index, s.Item.Value);
            var delta = Draw((1000 * (ulong)number) + (ulong)s.Index, s.Item.Value);
            var values = theta0.Zip(delta, (x, d) => (float)(x - 0.5 + (number == 0 ? 0 : (d - 0.5) / 4)));
            return new TestTensor(
                s.Item.Value, [.. s.Item.Key.Contains("ties") ? values.Select(v => MathF.Round(v * 64) / 64) : values]);
        });

    /// <summary>Values in (0, 1], as of second moments.</summary>
    public static IReadOnlyDictionary<string, TestTensor> Positive(IReadOnlyDictionary<string, long[]> shapes, int number) =>
        shapes.Index().ToDictionary(s => s.Item.Key, s => new TestTensor(
            s.Item.Value, [.. Draw((77_000 * (ulong)number) + (ulong)s.Index, s.Item.Value).Select(x => (float)(1 - x))]));

    /// <summary>Of every matrix [m, n] one of n×n, symmetric and positive definite: D + v·vᵀ with v in (0, 1], D in (0, n].</summary>
    public static IReadOnlyDictionary<string, TestTensor> Grams(IReadOnlyDictionary<string, long[]> shapes, int number) =>
        Positive(shapes.Where(s => s.Value is [_, > 0]).ToDictionary(s => s.Key, s => new[] { 2, s.Value[1] }), number)
            .ToDictionary(s => s.Key, s =>
            {
                var size = (int)s.Value.Shape[1];
                var (v, d) = (s.Value.Values[..size], s.Value.Values[size..]);
                var gram = new float[size * size];
                for (var e = 0; e < gram.Length; e++)
                    gram[e] = (v[e / size] * v[e % size]) + (e / size == e % size ? d[e / size] * size : 0);
                return new TestTensor([size, size], gram);
            });

    private static double[] Draw(ulong seed, long[] shape)
    {
        var random = new SearchRandom(seed);
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.Uniform();
        return values;
    }
}

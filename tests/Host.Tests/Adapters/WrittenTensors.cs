using System.Collections.Immutable;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>Small safetensors files of given values.</summary>
internal static class WrittenTensors
{
    public static void Write(
        string path, IEnumerable<(string Name, long[] Shape, float[] Values)> tensors, DType dtype = DType.F32,
        Dictionary<string, string>? metadata = null)
    {
        var all = tensors.ToArray();
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var layout = SafetensorsLayout.Of(
            all.Select(t => new OutputTensor(t.Name, dtype, [.. t.Shape])),
            long.MaxValue, metadata ?? [], Path.GetFileName(path));
        using var writer = OutputWriter.Create(folder, layout);
        foreach (var (name, _, values) in all)
        {
            var bytes = new byte[layout.Placements[name].Length];
            StoredValues.Encode(dtype, values, bytes);
            writer.Write(0, layout.Placements[name].Offset, bytes);
        }
    }

    public static float[] Values(TensorSource tensor)
    {
        var values = new float[tensor.Shape.Aggregate(1L, (p, s) => p * s)];
        StoredValues.Read(tensor, 0, values);
        return values;
    }

    public static float[] Random(ulong seed, long count, double scale = 1)
    {
        var random = new SearchRandom(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => (float)(scale * random.Normal()))];
    }

    public static ImmutableArray<long> Shape(params long[] sizes) => [.. sizes];
}

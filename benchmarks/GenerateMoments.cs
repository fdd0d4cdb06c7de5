namespace Merge.Benchmarks;

/// <summary>Synthetic second moments: float32, squares of normal numbers, of the size of a large model's (1e-20).</summary>
internal static class GenerateMoments
{
    private const int BlockElements = 1 << 20;

    // The draws deviate by 0.02: squared, 4e-4.
    private const float Scale = 1e-20f / 4e-4f;

    public static void Run(string folder, LlamaShape shape, int model, ulong seed)
    {
        var precision = Precision.ByName["f32"];
        DiskSpace.Require(folder, shape.Tensors().Sum(t => t.Shape.Aggregate(1L, (size, extent) => size * extent)) * precision.Bytes);
        var places = CheckpointFolder.Create(folder, shape.Tensors(), precision, shape.Config(precision));
        var values = new float[BlockElements];
        var bytes = new byte[BlockElements * precision.Bytes];
        foreach (var place in places)
        {
            using var file = File.OpenHandle(place.File, FileMode.Open, FileAccess.Write);
            for (long start = 0; start < place.Elements; start += BlockElements)
            {
                // The model's number is of no fine-tune: weights and moments are independent.
                SyntheticValues.Base(SyntheticValues.Key(seed, -model, place.Name), start, values);
                for (var i = 0; i < values.Length; i++)
                    values[i] *= values[i] * Scale;
                var length = (int)Math.Min(BlockElements, place.Elements - start);
                precision.Encode(values.AsSpan(0, length), bytes);
                RandomAccess.Write(file, bytes.AsSpan(0, length * precision.Bytes), place.Offset + (start * precision.Bytes));
            }
        }
    }
}

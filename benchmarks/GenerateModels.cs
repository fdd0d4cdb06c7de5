namespace Merge.Benchmarks;

/// <summary>Small checkpoints of plain matrices: a base and its fine-tunes.</summary>
internal static class GenerateModels
{
    private const int Tensors = 10;

    public static void Write(string folder, int models, long parameters, Precision precision)
    {
        var length = ((parameters / Tensors) + SyntheticValues.Lanes - 1)
            / SyntheticValues.Lanes * SyntheticValues.Lanes;
        var names = Enumerable.Range(0, Tensors).Select(t => $"layers.{t}.weight").ToArray();
        var start = new float[length];
        var values = new float[length];
        var bytes = new byte[length * precision.Bytes];
        for (var model = 0; model < models; model++)
        {
            var places = CheckpointFolder.Create(
                Path.Combine(folder, $"model-{model}"),
                names.Select(n => (n, new[] { length / 8, 8 })),
                precision,
                "{}");
            foreach (var place in places)
            {
                SyntheticValues.Base(SyntheticValues.Key(0, 0, place.Name), 0, start);
                if (model > 0)
                    SyntheticValues.FineTune(SyntheticValues.Key(0, model, place.Name), 0, start, values);
                precision.Encode(model > 0 ? values : start, bytes);
                using var file = File.OpenHandle(place.File, FileMode.Open, FileAccess.Write);
                RandomAccess.Write(file, bytes, place.Offset);
            }
        }
    }
}

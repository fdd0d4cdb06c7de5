using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Samples.Digits;
using Merge.Sdk;

namespace Merge.Commands.Demo;

/// <summary>The digits classifier as a checkpoint folder on the disk.</summary>
internal static class DigitsCheckpoint
{
    public const string SecondMomentsFile = "exp_avg_sq.safetensors";

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes <c>model.safetensors</c> and, beside it, Adam's second moments under the parameters' names.</summary>
    public static void Write(string folder, ZooModel model)
    {
        Write(folder, "model.safetensors", model.Model);
        Write(folder, SecondMomentsFile, model.SecondMoments);
    }

    /// <summary>Reads a merged or trained model back, as float32.</summary>
    public static DigitsModel Read(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        return new DigitsModel(checkpoint.Tensors.Values.ToDictionary(t => t.Name, t =>
        {
            var values = new float[t.Shape.Aggregate(1L, (product, size) => product * size)];
            t.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
            return (t.Shape.Select(size => (int)size).ToArray(), values);
        }));
    }

    private static void Write(string folder, string name, DigitsModel model)
    {
        var layout = SafetensorsLayout.Of(
            model.Tensors.Select(t => new OutputTensor(t.Key, DType.F32, [.. t.Value.Shape.Select(s => (long)s)])),
            long.MaxValue,
            Metadata);
        Directory.CreateDirectory(folder);
        using var file = File.Create(Path.Combine(folder, name));
        file.Write(layout.Files[0].Header);
        foreach (var (tensor, place) in layout.Placements)
        {
            file.Position = place.Offset;
            file.Write(MemoryMarshal.AsBytes(model.Tensors[tensor].Values.AsSpan()));
        }
    }
}

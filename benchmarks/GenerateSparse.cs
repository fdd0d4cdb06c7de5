using System.CommandLine;

namespace Merge.Benchmarks;

/// <summary><c>generate-sparse</c>: a checkpoint of holes, which reads as zeros and takes nearly no disk.</summary>
internal static class GenerateSparse
{
    public static Command Command()
    {
        var folder = new Argument<string>("OUT") { Description = "Folder to make the checkpoint in." };
        var gigabytes = new Option<int>("--gigabytes")
        {
            Description = "Size it pretends to have, roughly.",
            DefaultValueFactory = _ => 30,
        };
        var oneTensor = new Option<bool>("--one-tensor") { Description = "A single matrix of that size." };
        var command = new Command("generate-sparse", "Makes a large checkpoint of holes that takes nearly no disk.")
        {
            folder, gigabytes, oneTensor,
        };
        command.SetAction(parse => Run(
            parse.GetRequiredValue(folder), parse.GetValue(gigabytes), parse.GetValue(oneTensor)));
        return command;
    }

    private static void Run(string folder, int gigabytes, bool oneTensor)
    {
        var precision = Precision.ByName["bf16"];
        var elements = gigabytes * 1_000_000_000L / precision.Bytes;
        var shape = LlamaShape.ByParameters["70B"];
        (string Name, long[] Shape)[] embedding =
            [("model.embed_tokens.weight", [elements / shape.Hidden, shape.Hidden])];

        // One layer of a 70B model is 1.7 GB; embedding and head are 4.2 GB.
        shape = oneTensor
            ? shape with { Vocabulary = (int)(elements / shape.Hidden), Layers = 0, TiedHead = true }
            : shape with { Layers = Math.Max(1, (int)Math.Round((gigabytes - 4.2) / 1.71)) };
        var places = CheckpointFolder.Create(
            folder, oneTensor ? embedding : shape.Tensors(), precision, shape.Config(precision));
        var bytes = places.Sum(p => p.Elements) * precision.Bytes;
        Console.WriteLine($"{places.Count} tensors, {bytes / 1e9:F1} GB, sparse");
    }
}

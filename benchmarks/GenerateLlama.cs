using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Merge.Benchmarks;

/// <summary><c>generate-llama</c>: a base and fine-tunes of it, filled with synthetic weights.</summary>
internal static class GenerateLlama
{
    private const int BlockElements = 1 << 20;

    public static Command Command()
    {
        var folder = new Argument<string>("OUT") { Description = "Folder to make base/, model-1/ … in." };
        var parameters = new Option<string>("--parameters")
        {
            Description = "Size of each model.",
            DefaultValueFactory = _ => "0.5B",
        };
        parameters.AcceptOnlyFromAmong([.. LlamaShape.ByParameters.Keys]);
        var models = new Option<int>("--models") { Description = "Fine-tunes to make.", DefaultValueFactory = _ => 3 };
        models.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError("--models: expected 1 or more.");
        });
        var withBase = new Option<bool>("--base") { Description = "Make their base, too." };
        var withMoments = new Option<bool>("--moments")
        {
            Description = "Make float32 second moments for each fine-tune, too: moments-1/ …",
        };
        var precision = new Option<string>("--dtype") { DefaultValueFactory = _ => "bf16" };
        precision.AcceptOnlyFromAmong([.. Precision.ByName.Keys]);
        var seed = new Option<ulong>("--seed") { DefaultValueFactory = _ => 1 };

        var command = new Command("generate-llama", "Makes Llama-shaped checkpoints of synthetic weights.")
        {
            folder, parameters, models, withBase, withMoments, precision, seed,
        };
        command.SetAction(parse =>
        {
            var shape = LlamaShape.ByParameters[parse.GetRequiredValue(parameters)];
            Run(
                parse.GetRequiredValue(folder),
                shape,
                parse.GetValue(models),
                parse.GetValue(withBase),
                Precision.ByName[parse.GetRequiredValue(precision)],
                parse.GetValue(seed));
            for (var model = 1; parse.GetValue(withMoments) && model <= parse.GetValue(models); model++)
                GenerateMoments.Run(Path.Combine(parse.GetRequiredValue(folder), $"moments-{model}"), shape, model, parse.GetValue(seed));
        });
        return command;
    }

    private static void Run(
        string folder, LlamaShape shape, int models, bool withBase, Precision precision, ulong seed)
    {
        var elements = shape.Tensors().Sum(t => t.Shape.Aggregate(1L, (size, extent) => size * extent));
        var total = elements * precision.Bytes * (models + (withBase ? 1 : 0));
        DiskSpace.Require(folder, total);

        var time = Stopwatch.StartNew();
        // Model 0 is the base. All models of a block are made together: the base's values are drawn once.
        Dictionary<int, IReadOnlyList<Place>> places = [];
        for (var model = withBase ? 0 : 1; model <= models; model++)
            places[model] = CheckpointFolder.Create(
                Path.Combine(folder, model == 0 ? "base" : $"model-{model}"),
                shape.Tensors(),
                precision,
                shape.Config(precision));

        var files = places.Values.SelectMany(p => p).Select(p => p.File).Distinct()
            .ToDictionary(file => file, file => File.OpenHandle(file, FileMode.Open, FileAccess.Write));
        try
        {
            var first = places.Values.First();
            var blocks = first.SelectMany((place, tensor) =>
                Enumerable.Range(0, (int)((place.Elements + BlockElements - 1) / BlockElements))
                    .Select(block => (Tensor: tensor, Start: (long)block * BlockElements)));
            Parallel.ForEach(blocks, block => Fill(places, files, block.Tensor, block.Start, precision, seed));
        }
        finally
        {
            foreach (var file in files.Values)
                file.Dispose();
        }

        Console.WriteLine(
            $"{places.Count} checkpoints of {elements / 1e9:F3} B parameters, {total / 1e9:F2} GB, "
            + $"{time.Elapsed.TotalSeconds:F1} s");
    }

    private static void Fill(
        Dictionary<int, IReadOnlyList<Place>> models,
        Dictionary<string, SafeFileHandle> files,
        int tensor,
        long start,
        Precision precision,
        ulong seed)
    {
        var length = (int)Math.Min(BlockElements, models.Values.First()[tensor].Elements - start);
        var whole = (length + SyntheticValues.Lanes - 1) / SyntheticValues.Lanes * SyntheticValues.Lanes;
        var origin = ArrayPool<float>.Shared.Rent(whole);
        var values = ArrayPool<float>.Shared.Rent(whole);
        var bytes = ArrayPool<byte>.Shared.Rent(length * precision.Bytes);

        SyntheticValues.Base(
            SyntheticValues.Key(seed, 0, models.Values.First()[tensor].Name), start, origin.AsSpan(0, whole));
        foreach (var (model, places) in models)
        {
            var place = places[tensor];
            if (model > 0)
                SyntheticValues.FineTune(
                    SyntheticValues.Key(seed, model, place.Name), start, origin, values.AsSpan(0, whole));
            precision.Encode((model > 0 ? values : origin).AsSpan(0, length), bytes);
            RandomAccess.Write(
                files[place.File], bytes.AsSpan(0, length * precision.Bytes), place.Offset + start * precision.Bytes);
        }

        ArrayPool<float>.Shared.Return(origin);
        ArrayPool<float>.Shared.Return(values);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}

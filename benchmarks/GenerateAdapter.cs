using System.CommandLine;
using System.Text.Json;

namespace Merge.Benchmarks;

/// <summary><c>generate-adapter</c>: LoRA adapters of every linear layer of a Llama shape, in PEFT's format, float32.</summary>
internal static class GenerateAdapter
{
    private const int BlockElements = 1 << 20;

    public static Command Command()
    {
        var folder = new Argument<string>("OUT") { Description = "Folder to make adapter-1/ … in." };
        var parameters = new Option<string>("--parameters")
        {
            Description = "Size of the model they belong to.",
            DefaultValueFactory = _ => "0.5B",
        };
        parameters.AcceptOnlyFromAmong([.. LlamaShape.ByParameters.Keys]);
        var rank = new Option<int>("--rank") { DefaultValueFactory = _ => 64 };
        var adapters = new Option<int>("--adapters") { DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { DefaultValueFactory = _ => 1 };
        var command = new Command("generate-adapter", "Makes LoRA adapters of every linear layer, of synthetic factors.")
        {
            folder, parameters, rank, adapters, seed,
        };
        command.SetAction(parse =>
        {
            for (var adapter = 1; adapter <= parse.GetValue(adapters); adapter++)
            {
                Run(
                    Path.Combine(parse.GetRequiredValue(folder), $"adapter-{adapter}"),
                    LlamaShape.ByParameters[parse.GetRequiredValue(parameters)],
                    parse.GetValue(rank),
                    adapter,
                    parse.GetValue(seed));
            }
        });
        return command;
    }

    private static void Run(string folder, LlamaShape shape, int rank, int adapter, ulong seed)
    {
        var precision = Precision.ByName["f32"];
        var layers = shape.Tensors().Where(t => t.Name.EndsWith("_proj.weight", StringComparison.Ordinal))
            .Select(t => (Module: t.Name[..^".weight".Length], t.Shape)).ToList();
        var places = CheckpointFolder.Create(
            folder,
            layers.SelectMany(l => new (string, long[])[]
            {
                ($"base_model.model.{l.Module}.lora_A.weight", [rank, l.Shape[1]]),
                ($"base_model.model.{l.Module}.lora_B.weight", [l.Shape[0], rank]),
            }),
            precision,
            "{}");
        var values = new float[BlockElements];
        var bytes = new byte[BlockElements * precision.Bytes];
        foreach (var place in places)
        {
            using var file = File.OpenHandle(place.File, FileMode.Open, FileAccess.Write);
            for (long start = 0; start < place.Elements; start += BlockElements)
            {
                SyntheticValues.Base(SyntheticValues.Key(seed, -adapter, place.Name), start, values);
                var length = (int)Math.Min(BlockElements, place.Elements - start);
                precision.Encode(values.AsSpan(0, length), bytes);
                RandomAccess.Write(file, bytes.AsSpan(0, length * precision.Bytes), place.Offset + (start * precision.Bytes));
            }
        }
        File.Delete(Path.Combine(folder, "config.json"));
        File.Move(places[0].File, Path.Combine(folder, "adapter_model.safetensors"), overwrite: true);
        File.WriteAllText(
            Path.Combine(folder, "adapter_config.json"),
            JsonSerializer.Serialize(new
            {
                peft_type = "LORA",
                task_type = "CAUSAL_LM",
                r = rank,
                lora_alpha = rank,
                target_modules = layers.Select(l => l.Module[(l.Module.LastIndexOf('.') + 1)..]).Distinct(),
            }));
    }
}

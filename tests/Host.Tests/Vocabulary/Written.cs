using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

/// <summary>Models with tokenizers on disk of one test, and merges of them; deleted afterwards.</summary>
internal sealed class Written : IDisposable
{
    private static readonly string Installed =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));

    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed));
    private int _merges;

    public string Root { get; } = Directory.CreateTempSubdirectory("merge-vocabulary-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>A folder with weights, and a config.json where one is given.</summary>
    public string Weights(string name, string? config, params (string Name, DType Type, float[][] Rows)[] tensors)
    {
        var layout = SafetensorsLayout.Of(
            tensors.Select(t => new OutputTensor(t.Name, t.Type, [t.Rows.Length, t.Rows[0].Length])), 1L << 40,
            new Dictionary<string, string>());
        using var writer = OutputWriter.Create(this[name], layout);
        foreach (var (tensor, type, rows) in tensors)
            writer.Write(layout.Placements[tensor].File, layout.Placements[tensor].Offset, Bytes(type, rows));
        File.Delete(Path.Combine(this[name], "config.json"));
        if (config is not null)
            File.WriteAllText(Path.Combine(this[name], "config.json"), config);
        return this[name];
    }

    /// <summary>A model of one embedding, one row of two numbers a token, and a tokenizer.json of those tokens.</summary>
    public string Model(string name, float[] rows, string[] tokens, params string[] added)
    {
        Weights(
            name,
            $$"""{"vocab_size": {{rows.Length}}, "tie_word_embeddings": true}""",
            ("model.embed_tokens.weight", DType.F32, Rows(rows)));
        Tokenizer(name, tokens, added);
        return this[name];
    }

    public void Tokenizer(string name, string[] tokens, params string[] added)
    {
        var vocabulary = new JsonObject(tokens.Index().Select(t => KeyValuePair.Create(t.Item, (JsonNode?)t.Index)));
        JsonArray list = [.. added.Index().Select(t => new JsonObject
        {
            ["id"] = tokens.Length + t.Index,
            ["content"] = t.Item,
            ["special"] = true,
            ["normalized"] = false,
        })];
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = list,
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = new JsonArray() },
        };
        File.WriteAllText(Path.Combine(this[name], "tokenizer.json"), json.ToJsonString());
    }

    /// <summary>Rows (v, −v/2): what is done to rows shows in both columns.</summary>
    public static float[][] Rows(params float[] values) => [.. values.Select(v => new[] { v, -v / 2 })];

    public string Recipe(string text)
    {
        File.WriteAllText(this["recipe.yaml"], text);
        return this["recipe.yaml"];
    }

    public T Planned<T>(string recipe, Func<MergePlan, T> use, OnMismatch onMismatch = OnMismatch.Error)
    {
        using var planner = new RecipePlanner(_catalog, []) { OnMismatch = onMismatch };
        return use(planner.Plan(RecipeFile.Read(Recipe(recipe)), 1L << 40));
    }

    /// <summary>Merges to a folder and opens it.</summary>
    public Merged Merge(string recipe, OnMismatch onMismatch = OnMismatch.Error, RunSettings? settings = null)
    {
        var final = this[$"out{_merges++}"];
        return Planned(
            recipe,
            plan =>
            {
                MergeToFolder.Run(
                    plan, final, false, false, settings ?? new() { Threads = 2 }, new RunProgress(), CancellationToken.None);
                return new Merged(final, plan.Warnings);
            },
            onMismatch);
    }

    public IReadOnlyList<Diagnostic> Refused(string recipe, OnMismatch onMismatch = OnMismatch.Error) =>
        [.. Assert.Throws<MergeException>(() => Planned(recipe, _ => 0, onMismatch)).Diagnostics
            .Where(d => d.Severity == Severity.Error)];

    public void Dispose()
    {
        _catalog.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    public static byte[] Bytes(DType type, float[][] rows)
    {
        float[] values = [.. rows.SelectMany(r => r)];
        var bytes = new byte[values.Length * (type.Bits() / 8)];
        foreach (var (i, value) in values.Index())
        {
            switch (type)
            {
                case DType.F32:
                    BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), value);
                    break;
                case DType.F64:
                    BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), value);
                    break;
                case DType.F16:
                    BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(2 * i), (Half)value);
                    break;
                default:
                    // Exact for the numbers used here: their lower half is empty.
                    BinaryPrimitives.WriteUInt16LittleEndian(
                        bytes.AsSpan(2 * i), (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                    break;
            }
        }
        return bytes;
    }
}

/// <summary>A merge's folder.</summary>
internal sealed record Merged(string Folder, IReadOnlyList<Diagnostic> Warnings)
{
    public JsonObject Config => JsonNode.Parse(Text("config.json"))!.AsObject();

    public string Text(string file) => File.ReadAllText(Path.Combine(Folder, file));

    public IEnumerable<string> Tensors()
    {
        using var opened = Checkpoint.Open(Folder);
        return [.. opened.Tensors.Keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>A float32 tensor's first column.</summary>
    public float[] Column(string tensor = "model.embed_tokens.weight")
    {
        using var opened = Checkpoint.Open(Folder);
        var stored = opened.Tensors[tensor];
        Assert.Equal(DType.F32, stored.DType);
        var bytes = new byte[stored.Length];
        stored.Read(0, bytes);
        return [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Chunk((int)stored.Shape[1]).Select(r => r[0])];
    }

    public Tokenizer Tokenizer() => Merge.Vocabulary.Tokenizer.Open(Folder)!;
}

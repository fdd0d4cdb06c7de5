using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace EndToEnd.Tests.Support;

/// <summary>Safetensors by the book, in a few lines: a second opinion on what the host reads and writes.</summary>
internal static class TinyCheckpoint
{
    public const string Config = "{\"model_type\": \"tiny\",\n \"torch_dtype\": \"float32\", \"hidden_size\": 2}\n";
    public const string Tokenizer = "{\"version\": \"1.0\",\t\"model\": \"ünicode\"}";

    /// <summary>A model folder of one file, with a config and a tokenizer.</summary>
    public static void Write(string folder, params TinyTensor[] tensors)
    {
        WriteSideFiles(folder);
        WriteFile(Path.Combine(folder, "model.safetensors"), tensors);
    }

    /// <summary>A model folder of shards and their index.</summary>
    public static void WriteSharded(string folder, params TinyTensor[][] shards)
    {
        WriteSideFiles(folder);
        var map = new Dictionary<string, string>();
        foreach (var (i, shard) in shards.Index())
        {
            var name = $"model-{i + 1:D5}-of-{shards.Length:D5}.safetensors";
            WriteFile(Path.Combine(folder, name), shard);
            foreach (var tensor in shard)
                map.Add(tensor.Name, name);
        }
        var size = shards.Sum(s => s.Sum(t => t.Bytes.Length));
        var index = JsonSerializer.Serialize(new { metadata = new { total_size = size }, weight_map = map });
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index);
    }

    public static void WriteFile(string path, params TinyTensor[] tensors)
    {
        var offset = 0L;
        var entries = tensors.Select(t => Entry(t.Name, t.DType, t.Shape, offset, offset += t.Bytes.Length));
        using var file = WriteHeader(path, string.Join(',', entries));
        foreach (var tensor in tensors)
            file.Write(tensor.Bytes);
    }

    /// <summary>A model folder of one 1-dim tensor <c>w</c> of zeros that takes no room on the disk.</summary>
    public static void WriteSparse(string folder, string dtype, long count)
    {
        WriteSideFiles(folder);
        var bytes = count * TinyTensor.SizeOf(dtype);
        using var file = WriteHeader(Path.Combine(folder, "model.safetensors"), Entry("w", dtype, [count], 0, bytes));
        file.SetLength(file.Position + bytes);
    }

    /// <summary>A header's entry.</summary>
    public static string Entry(string name, string dtype, long[] shape, long begin, long end) =>
        $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{end}]}}";

    /// <summary>Starts a file with a header of these entries, right or wrong; what follows is the data.</summary>
    public static FileStream WriteHeader(string path, string entries)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var json = Encoding.UTF8.GetBytes("{" + entries + "}");
        var length = (json.Length + 7) / 8 * 8;
        var header = new byte[8 + length];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        json.CopyTo(header, 8);
        var file = File.Create(path);
        file.Write(header);
        return file;
    }

    /// <summary>All tensors of a model folder.</summary>
    public static Dictionary<string, TinyTensor> Read(string folder) => Directory.GetFiles(folder, "*.safetensors")
        .SelectMany(ReadFile).ToDictionary(t => t.Name);

    /// <summary>The tensors of one file, as its header lists them.</summary>
    public static TinyTensor[] ReadFile(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return [.. JsonElement.Parse(bytes.AsSpan(8, start - 8)).EnumerateObject()
            .Where(e => e.Name != "__metadata__").Select(e => Tensor(e.Name, e.Value))];

        TinyTensor Tensor(string name, JsonElement entry)
        {
            var offsets = entry.GetProperty("data_offsets");
            return new(
                name,
                entry.GetProperty("dtype").GetString()!,
                [.. entry.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())],
                bytes[(start + offsets[0].GetInt32())..(start + offsets[1].GetInt32())]);
        }
    }

    private static void WriteSideFiles(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer);
    }
}

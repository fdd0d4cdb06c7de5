using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>
/// <c>merge_manifest.json</c>: what went in, what made it, what came out. No date, no path of the machine: the same
/// merge writes the same manifest anywhere.
/// </summary>
internal static class Manifest
{
    public const string FileName = "merge_manifest.json";

    /// <param name="path">Where to write it.</param>
    /// <param name="plan">The merge.</param>
    /// <param name="inputs">CRC-32C of each input file, in the plan's order; null where only little of it was read.</param>
    /// <param name="outputs">CRC-32C of each output file, in the layout's order.</param>
    /// <param name="algebra">Whose linear algebra the bytes depend on; null: nobody's.</param>
    /// <param name="sha256">Whether to hash the inputs with SHA-256 too: one more read of each.</param>
    public static void Write(
        string path, MergePlan plan, IReadOnlyList<uint?> inputs, IReadOnlyList<uint> outputs,
        string? algebra, bool sha256)
    {
        var digests = sha256
            ? plan.InputFiles.AsParallel().AsOrdered().Select(f => Digest(f.File.Path)).ToArray()
            : null;
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("tool", $"merge {ToolVersion.Text}");
        json.WriteString("method", plan.Strategy.Info.Id);
        json.WriteStartObject("plugin");
        json.WriteString("name", plan.Plugin.Name);
        json.WriteString("version", plan.Plugin.Version);
        json.WriteString("sha256", plan.Plugin.Digest);
        json.WriteEndObject();
        json.WriteNumber("seed", plan.Seed);
        if (algebra is not null)
            json.WriteString("linear_algebra", algebra);
        json.WriteStartArray("inputs");
        for (var i = 0; i < plan.InputFiles.Count; i++)
        {
            var (model, file) = plan.InputFiles[i];
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteString("file", Path.GetFileName(file.Path));
            json.WriteNumber("bytes", file.Size);
            if (inputs[i] is { } checksum)
                json.WriteString("crc32c", checksum.ToString("x8"));
            if (digests is not null)
                json.WriteString("sha256", digests[i]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("outputs");
        foreach (var (file, crc) in plan.Layout.Files.Zip(outputs))
        {
            json.WriteStartObject();
            json.WriteString("file", file.Name);
            json.WriteNumber("bytes", file.Size);
            json.WriteString("crc32c", crc.ToString("x8"));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("tensors", plan.Tensors.Count);
        json.WriteStartArray("copied");
        foreach (var tensor in plan.Tensors.Where(t => t.IsCopied))
            json.WriteStringValue(tensor.Info.Name);
        json.WriteEndArray();
        WriteStages(json, plan.Origin.Stages);
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');
    }

    /// <summary>The manifests of what it builds on: those folders may not be kept.</summary>
    private static void WriteStages(Utf8JsonWriter json, IReadOnlyList<StageOrigin> stages)
    {
        if (stages.Count == 0)
            return;
        json.WriteStartArray("stages");
        foreach (var stage in stages)
        {
            var own = JsonNode.Parse(File.ReadAllText(Path.Combine(stage.Folder, FileName)))!.AsObject();
            // All of them stand in this list themselves.
            own.Remove("stages");
            own.Insert(0, "name", stage.Name);
            own.WriteTo(json);
        }
        json.WriteEndArray();
    }

    private static string Digest(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}

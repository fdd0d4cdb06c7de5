using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>Small JSON files beside the weights.</summary>
internal static class JsonFile
{
    private const long Longest = 100_000_000;

    /// <summary>All bytes of a file that is not absurdly long.</summary>
    public static byte[] Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length <= Longest)
                return File.ReadAllBytes(path);
            throw new MergeException(new Diagnostic($"the file has {length} bytes")
            {
                Where = path,
                Expected = $"at most {Longest} for a JSON file",
            });
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Reading(path, e);
        }
    }

    /// <summary>The object a file holds, or null without the file. Infinity and NaN read as null.</summary>
    /// <exception cref="MergeException">It is not a JSON object.</exception>
    public static JsonObject? ReadObject(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false };
            if (JsonNode.Parse(WithoutInfinities(Read(path)), documentOptions: options) is JsonObject json)
            {
                // Texts are decoded when they are asked for; a broken one should be found here.
                _ = json.ToJsonString();
                return json;
            }
        }
        catch (InvalidOperationException e)
        {
            throw new MergeException(new Diagnostic("the file holds a text that is no Unicode")
            {
                Where = path,
                Fix = "Download or write it again.",
            }, e);
        }
        catch (JsonException e)
        {
            throw new MergeException(new Diagnostic(
                e.LineNumber is null ? $"the file is not JSON as it should be: {e.Message}" : "the file is not JSON")
            {
                Where = e.LineNumber is { } line ? $"{path}, line {line + 1}" : path,
                Fix = "Download or write it again.",
            }, e);
        }
        throw new MergeException(new Diagnostic("the file is not a JSON object") { Where = path });
    }

    // Python's json writes Infinity and NaN, and real configs hold them (Mamba's time_step_limit); JSON has neither.
    private static byte[] WithoutInfinities(byte[] json)
    {
        var result = new List<byte>(json.Length);
        var inText = false;
        for (var i = 0; i < json.Length; i++)
        {
            var rest = json.AsSpan(i);
            if (inText && json[i] == '\\' && rest.Length > 1)
            {
                result.AddRange(rest[..2]);
                i++;
                continue;
            }
            if (json[i] == '"')
                inText = !inText;
            var word = inText ? 0 : rest.StartsWith("-Infinity"u8) ? 9 : rest.StartsWith("Infinity"u8) ? 8
                : rest.StartsWith("NaN"u8) ? 3 : 0;
            if (word == 0)
            {
                result.Add(json[i]);
                continue;
            }
            result.AddRange("null"u8);
            i += word - 1;
        }
        return [.. result];
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Makes a copied <c>config.json</c> say the dtype the weights were written as, where it says one.</summary>
internal static class ConfigDType
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A config as Hugging Face's own library lays it out.</summary>
    public static string Text(JsonObject config) => config.ToJsonString(Indented) + "\n";

    public static void Set(string path, DType dtype)
    {
        if (!File.Exists(path) || JsonNode.Parse(File.ReadAllText(path)) is not JsonObject config)
            return;
        var name = dtype switch
        {
            DType.F64 => "float64",
            DType.F32 => "float32",
            DType.F16 => "float16",
            _ => "bfloat16",
        };
        var keys = new[] { "torch_dtype", "dtype" }.Where(k => config.ContainsKey(k) && (string?)config[k] != name).ToArray();
        if (keys.Length == 0)
            return;
        foreach (var key in keys)
            config[key] = name;
        File.WriteAllText(path, Text(config));
    }
}

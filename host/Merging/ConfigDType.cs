using System.Text.RegularExpressions;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Makes a copied <c>config.json</c> say the dtype the weights were written as, where it says one, for itself or for a
/// model within. Nothing else of the text changes: Python writes configs no JSON writer would (Infinity, NaN).
/// </summary>
internal static partial class ConfigDType
{
    public static void Set(string path, DType dtype)
    {
        if (!File.Exists(path))
            return;
        var name = dtype switch
        {
            DType.F64 => "float64",
            DType.F32 => "float32",
            DType.F16 => "float16",
            _ => "bfloat16",
        };
        var config = File.ReadAllText(path);
        var changed = Entry().Replace(config, entry => $"{entry.Groups["key"].ValueSpan}\"{name}\"");
        if (changed != config)
            File.WriteAllText(path, changed);
    }

    // Within a JSON string the quotes would be escaped, so that only keys match.
    [GeneratedRegex(@"(?<key>""(torch_)?dtype""\s*:\s*)""(torch\.)?b?float\d+""", RegexOptions.CultureInvariant)]
    private static partial Regex Entry();
}

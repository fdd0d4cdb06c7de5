using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Plugins.Tests.Golden;

/// <summary>The method of a golden case, set by a recipe in mergekit's words.</summary>
internal static class MergekitCase
{
    public static (MergeStrategy Strategy, object Options) Method(string name)
    {
        var given = JsonNode.Parse(File.ReadAllText(
            Path.Combine(AppContext.BaseDirectory, "Golden", "cases", name, "case.json")))!;
        var models = given["models"]!.AsArray().Select((model, i) => new JsonObject
        {
            ["model"] = model!.GetValue<string>(),
            ["parameters"] = new JsonObject(given["model_parameters"]!.AsObject()
                .Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value![i]!.DeepClone()))),
        });
        var recipe = new JsonObject
        {
            ["merge_method"] = given["method"]!.DeepClone(),
            ["models"] = new JsonArray([.. models]),
            ["parameters"] = given["parameters"]!.DeepClone(),
        };
        return MergekitMethods.Bind(recipe.ToJsonString()); // JSON is YAML
    }
}

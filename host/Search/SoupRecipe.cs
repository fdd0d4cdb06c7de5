using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// A recipe as soups are made of it: a model's weight is its own in the soup and 0 outside, so that every soup is a point of
/// one space and all are merged by the same pass. <c>uniform</c>, which has no weights, becomes <c>linear</c> with equal ones.
/// </summary>
internal static class SoupRecipe
{
    private const string Weight = "weight";
    private const string Uniform = "uniform";
    private const string Linear = "linear";

    /// <summary>The weights of all models are what is chosen.</summary>
    public static SearchRecipe Space(Recipe recipe) => new("soup", recipe.MethodLine)
    {
        Space = [new SearchedParameter(Weight, recipe.MethodLine) { Range = (0, 1), IsOpen = true }],
    };

    /// <exception cref="MergeException">Its method weights no models.</exception>
    public static Recipe Of(Recipe recipe, PluginCatalog plugins)
    {
        if (recipe.Method == Uniform)
        {
            YamlEntry[] entries = [.. recipe.Map!.Entries.Select(e => e.Key == "merge_method" ? e with { Value = new YamlScalar(Linear, false, e.Line) } : e)];
            return recipe with { Method = Linear, Map = recipe.Map with { Entries = entries } };
        }
        if (plugins.Methods.FirstOrDefault(m => m.Id == recipe.Method) is { } method
            && OptionsSchema.Of(method.Strategy.OptionsType).Find(Weight) is not { IsPerModel: true })
        {
            throw new MergeException(new Diagnostic($"{recipe.Method} gives its models no weights, so none can be left out of a soup")
            {
                Where = $"{recipe.Path}, line {recipe.MethodLine}",
                Expected = "uniform, or a method with a 'weight' per model",
            })
            { WrongUsage = true };
        }
        return recipe;
    }
}

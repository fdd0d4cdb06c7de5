using Merge.Recipes;

namespace Plugins.Tests;

/// <summary>A recipe's options, as the host would give them to a tensor outside the layers.</summary>
internal static class RecipeOptions
{
    public static BoundOptions Bind(
        OptionsSchema schema, Recipe recipe, IReadOnlyList<RecipeModel> models, string method,
        Func<string, IReadOnlyList<string>> methodsWith)
    {
        var binder = new OptionsBinder(schema, recipe, method, methodsWith);
        var bound = binder.Scope(models, RecipeParameters.None, RecipeParameters.None)
            .For("w", [.. models.Select(_ => "w")], 0);
        binder.ThrowIfAny();
        return bound;
    }
}

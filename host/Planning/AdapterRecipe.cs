using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>Recipes whose models are adapters, which make an adapter.</summary>
internal static class AdapterRecipe
{
    /// <summary>Whether all models are adapters, none of them in a model.</summary>
    public static bool Is(ResolvedRecipe recipe) => Are([.. recipe.Models]);

    /// <inheritdoc cref="Is"/>
    public static bool Are(IReadOnlyList<ResolvedModel> models) =>
        models.Count > 0 && models.All(m => m.Adapters.Count == 0 && Adapter.IsAt(m.Path));

    /// <summary>Puts zeros where the method wants a base: the adapters' task vectors stand on them.</summary>
    /// <param name="recipe">Any; one of models comes back as it is.</param>
    /// <param name="method">What is asked of it: what it does with a base.</param>
    /// <param name="baseModel">The base the recipe names, which the adapter will belong to.</param>
    public static ResolvedRecipe WithZeros(ResolvedRecipe recipe, StrategyInfo method, out string? baseModel)
    {
        baseModel = recipe.Base?.Model.Model.Text;
        if (!Is(recipe))
            return recipe;
        if (recipe.Recipe.Slices.Count + recipe.Recipe.Modules.Count > 0)
        {
            throw new MergeException(new Diagnostic("the models are adapters, and the recipe merges them in slices or modules")
            {
                Where = recipe.Recipe.Path,
                Expected = "'models', a list of adapters",
                Fix = "Slice whole models: write each as 'base+adapter'.",
            })
            { WrongUsage = true };
        }
        if (method.Id == "slerp")
            throw new MergeException(Arc(recipe)) { WrongUsage = true };
        if (recipe.Base is { } given && (given.Adapters.Count > 0 || Adapter.IsAt(given.Path)))
        {
            throw new MergeException(new Diagnostic(
                $"'base_model' is {(given.Adapters.Count > 0 ? "a model with an adapter in it" : "an adapter")}, and the models are adapters")
            {
                Where = $"{recipe.Recipe.Path}, line {given.Model.Model.Line}",
                Expected = "the model they belong to, which is only named in the result; their task vectors need no base",
                Fix = "Leave it out; or merge whole models: write each as 'base+adapter'.",
            })
            { WrongUsage = true };
        }
        var zeros = method.Base is InputRole.Required or InputRole.Optional
            ? new ResolvedModel(new(new("zeros", recipe.Recipe.MethodLine), RecipeParameters.None), "") : null;
        return recipe with
        {
            Base = zeros,
            Modules = [.. recipe.Modules.Select(m => m with { Slices = [.. m.Slices.Select(s => s with { Base = zeros })] })],
        };
    }

    // From its base to a model: beside zeros there is no arc, and the change would only be scaled.
    private static Diagnostic Arc(ResolvedRecipe recipe) => new(
        "slerp goes from a base to one model, and adapters have no base but zeros")
    {
        Where = $"{recipe.Recipe.Path}, line {recipe.Recipe.MethodLine}",
        Expected = "a method that goes from one adapter to another",
        Fix = "For two adapters: 'merge_method: nuslerp' with 'models', weights 1-t and t (exact, on the same arc); or merge "
            + "whole models: 'base+adapter' as the base and as the model.",
    };

    /// <summary>What stands below <c>adapter:</c> means nothing where models are merged.</summary>
    public static void RefuseSection(Recipe recipe)
    {
        if (recipe.Adapter is { Line: var line })
        {
            throw new MergeException(new Diagnostic("'adapter' says how an adapter is written, and the models are no adapters")
            {
                Where = $"{recipe.Path}, line {line}",
                Fix = "Remove it; to make an adapter of two models: merge extract.",
            })
            { WrongUsage = true };
        }
    }

    public static AdapterOutput Output(
        Recipe recipe, AdapterViews views, IReadOnlyList<Adapter> adapters, string? baseModel)
    {
        var section = recipe.Adapter;
        var pattern = RankPattern(recipe, [.. views.Modules.Values.Select(m => m.Like.Name)]);
        return new(
            adapters,
            views.Modules,
            views.Saved,
            section is { Rank: null, Energy: null } or null ? null : new RankChoice(section.Rank, section.Energy),
            section?.Combine switch
            {
                "factors" => AdapterCombination.Factors,
                "peft_linear" => AdapterCombination.PeftLinear,
                _ => AdapterCombination.Exact,
            },
            recipe.OutDType ?? recipe.DType ?? DType.F32,
            baseModel)
        {
            RankPattern = pattern,
        };
    }

    private static (Regex Key, int Rank)[] RankPattern(Recipe recipe, string[] modules)
    {
        var problems = new List<Diagnostic>();
        var pattern = new List<(Regex, int)>();
        foreach (var (key, rank, line) in recipe.Adapter?.RankPattern ?? [])
        {
            var matcher = AdapterConfig.Matcher(key);
            if (matcher is not null && modules.Any(matcher.IsMatch))
            {
                pattern.Add((matcher, rank));
                continue;
            }
            problems.Add(new Diagnostic(matcher is null
                ? $"{RecipeText.Quote(key)} in 'rank_pattern' is no regular expression without look-around and back-references"
                : $"{RecipeText.Quote(key)} in 'rank_pattern' is no module of the adapters")
            {
                Where = $"{recipe.Path}, line {line}",
                Expected = "a module's name, or what follows one of its dots, such as q_proj",
                Fix = NearestMatch.Question(key, modules.Select(m => m[(m.LastIndexOf('.') + 1)..]).Distinct()),
            });
        }
        return problems.Count == 0 ? [.. pattern] : throw new MergeException(problems) { WrongUsage = true };
    }
}

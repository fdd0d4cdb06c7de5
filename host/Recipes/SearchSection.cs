using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads <c>search:</c>. What its names mean is known only when the method is: see the search's space.</summary>
internal static class SearchSection
{
    public const string Key = "search";

    /// <summary>The sections that say how candidates are found and scored; a plain merge does not use them.</summary>
    public static IReadOnlyList<string> All { get; } = [Key, "evaluate", "objective", "splits"];

    private const string Name = "search";

    private static readonly string[] Keys =
    [
        "searcher", "options", "trials", "seed", "space", "layer_groups", "layers_per_group", "smooth", "filters", "final",
        "rescore", "ingredients", "give_up_after",
    ];

    private static readonly string[] ParameterKeys = ["low", "high", "open", "scale", "integer", "per"];

    /// <summary>What a parameter may have values of its own for.</summary>
    private static readonly string[] PerWords = ["model", "layers", "filters"];

    /// <summary>The section; null where the recipe has none.</summary>
    public static SearchRecipe? Read(YamlMap recipe, RecipeFindings findings)
    {
        if (recipe.Find(Key) is not { } entry)
            return null;
        if (entry.Value is not YamlMap map)
        {
            findings.Error(entry.Line, $"'search' is {entry.Value.Kind}", "a mapping such as 'searcher: cma-es'");
            return null;
        }
        var section = new SectionReader(map, Name, findings);
        section.CheckKeys(Keys);
        var searcher = section.Word("searcher");
        if (searcher is null && section.Find("searcher") is null)
            findings.Error(map.Line, "'search.searcher' is missing", "the id of a searcher, such as 'searcher: cma-es'");
        var groups = section.Count("layer_groups", 1);
        var perGroup = section.Count("layers_per_group", 1);
        if (groups is not null && perGroup is not null)
        {
            findings.Error(section.Find("layers_per_group")!.Line,
                $"'layers_per_group' stands beside 'layer_groups' of line {section.Find("layer_groups")!.Line}", "one of the two");
        }
        var smooth = section.Flag("smooth") ?? false;
        if (smooth && groups is null && perGroup is null)
        {
            findings.Error(section.Find("smooth")!.Line, "'search.smooth' needs groups of layers to go between",
                "'layer_groups' or 'layers_per_group' beside it");
        }
        return new(searcher?.Text.Trim() ?? "", searcher?.Line ?? map.Line)
        {
            Options = Options(section, findings),
            Trials = section.Count("trials", 1) ?? SearchRecipe.DefaultTrials,
            Seed = section.Seed("seed") ?? 0,
            Space = Space(section, findings),
            LayerGroups = groups,
            LayersPerGroup = perGroup,
            IsSmooth = smooth,
            Filters = [.. (section.Words("filters") ?? []).Select(f => f.Text)],
            Final = section.Choice<FinalPick>("final") ?? FinalPick.Selection,
            Rescored = section.Count("rescore", 0) ?? SearchRecipe.DefaultRescored,
            ScoresIngredients = section.Flag("ingredients") ?? true,
            Patience = section.Count("give_up_after", 1) ?? SearchRecipe.DefaultPatience,
        };
    }

    private static RecipeParameters Options(SectionReader section, RecipeFindings findings) =>
        section.Find("options") is { } options ? ParameterSection.Read(options, findings) : RecipeParameters.None;

    private static List<SearchedParameter> Space(SectionReader section, RecipeFindings findings)
    {
        switch (section.Find("space"))
        {
            case null:
                return [];
            case { Value: YamlMap { Entries.Count: > 0 } map }:
                return [.. map.Entries.Select(e => Parameter(e, findings))];
            case { Value: YamlList { Items.Count: > 0 } list } when list.Items.All(i => i is YamlScalar):
                return [.. list.Items.Cast<YamlScalar>().Select(s => new SearchedParameter(s.Text, s.Line))];
            case var wrong:
                findings.Error(wrong.Line, $"'search.space' is {wrong.Value.Kind}",
                    "a mapping of parameters such as 'weight: [0, 1]', or a list of their names");
                return [];
        }
    }

    private static SearchedParameter Parameter(YamlEntry entry, RecipeFindings findings)
    {
        var parameter = new SearchedParameter(entry.Key, entry.Line);
        var name = $"search.space.{entry.Key}";
        switch (entry.Value)
        {
            case YamlScalar { IsNull: true }:
                return parameter;
            case YamlList { Items: [var low, var high] } list:
                var reader = new SectionReader(new([], list.Line), name, findings);
                return parameter with { Range = Range(reader.Real(low, "low"), reader.Real(high, "high"), list.Line, name, findings) };
            case YamlMap map:
                return Parameter(parameter, map, name, findings);
            default:
                findings.Error(entry.Line, $"'{name}' is {(entry.Value is YamlList ? "a list" : entry.Value.Kind)}",
                    "two numbers such as [0, 1], or a mapping such as {low: 0, high: 1}");
                return parameter;
        }
    }

    private static SearchedParameter Parameter(SearchedParameter parameter, YamlMap map, string name, RecipeFindings findings)
    {
        var section = new SectionReader(map, name, findings);
        section.CheckKeys(ParameterKeys);
        (double Low, double High)? range = null;
        if (section.Find("low") is not null || section.Find("high") is not null)
        {
            if (section.Find("low") is null || section.Find("high") is null)
                findings.Error(map.Line, $"'{name}' has one end of a range", "'low' and 'high'");
            else
                range = Range(section.Number("low"), section.Number("high"), map.Line, name, findings);
        }
        return parameter with
        {
            Range = range,
            IsOpen = section.Flag("open") ?? false,
            Scale = Scale(section, findings),
            IsInteger = section.Flag("integer"),
            Per = Per(section, findings),
        };
    }

    private static (double, double)? Range(double? low, double? high, int line, string name, RecipeFindings findings)
    {
        if (low is not { } from || high is not { } to)
            return null;
        if (from < to)
            return (from, to);
        findings.Error(line, $"'{name}' looks from {from} to {to}", "a low end below the high one");
        return null;
    }

    private static SearchScale? Scale(SectionReader section, RecipeFindings findings)
    {
        switch (section.Word("scale"))
        {
            case null:
                return null;
            case { Text: "log" or "logarithmic" }:
                return SearchScale.Logarithmic;
            case { Text: "linear" }:
                return SearchScale.Linear;
            case var wrong:
                Wrong(findings, wrong, "'scale'", ["linear", "log"]);
                return null;
        }
    }

    private static HashSet<string>? Per(SectionReader section, RecipeFindings findings)
    {
        if (section.Words("per") is not { } words)
            return null;
        if (words is [{ Text: "all" }])
            return [];
        foreach (var wrong in words.Where(w => !PerWords.Contains(w.Text)))
            Wrong(findings, wrong, "'per'", [.. PerWords, "all"]);
        return [.. words.Select(w => w.Text)];
    }

    private static void Wrong(RecipeFindings findings, YamlScalar word, string what, IReadOnlyList<string> known) =>
        findings.Error(word.Line, $"{what} is {RecipeText.Quote(word.Text)}", $"one of {string.Join(", ", known)}",
            NearestMatch.Question(word.Text, known));
}

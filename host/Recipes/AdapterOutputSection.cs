using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>How a merge of adapters is written.</summary>
/// <param name="Rank">The largest rank of a module; null: no limit.</param>
/// <param name="Energy">The share of ‖ΔW‖² to keep, 0 to 1; null: all, or as much as the rank holds.</param>
/// <param name="RankPattern">Largest ranks of modules, by keys as in PEFT's <c>rank_pattern</c>: the first that matches holds.</param>
/// <param name="Combine"><c>exact</c>, <c>factors</c> or <c>peft_linear</c>.</param>
/// <param name="Line">Where it stands.</param>
internal sealed record AdapterOutputRecipe(
    int? Rank, double? Energy, IReadOnlyList<ModuleRank> RankPattern, string Combine, int Line);

/// <param name="Key">A module's name, what follows one of its dots, or a regular expression for either.</param>
internal sealed record ModuleRank(string Key, int Rank, int Line);

/// <summary>Reads <c>adapter:</c>.</summary>
internal static class AdapterOutputSection
{
    public static readonly string[] Combinations = ["exact", "factors", "peft_linear"];

    private static readonly string[] Keys = ["rank", "energy", "rank_pattern", "combine"];

    public static AdapterOutputRecipe? Read(YamlEntry section, RecipeFindings findings)
    {
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'adapter' is {section.Value.Kind}", $"a mapping with {string.Join(", ", Keys)}");
            return null;
        }
        foreach (var (key, line, _) in map.Entries.Where(e => !Keys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} below 'adapter'", $"one of {string.Join(", ", Keys)}",
                NearestMatch.Question(key, Keys));
        }
        var rank = map.Find("rank") is { } givenRank ? Rank(givenRank, "'rank'", findings) : null;
        double? energy = null;
        if (map.Find("energy") is { } givenEnergy)
        {
            if (givenEnergy.Value is YamlScalar { Quoted: false } text && RecipeNumber.TryReal(text.Text, out var share)
                && share is > 0 and <= 1)
            {
                energy = share;
            }
            else
            {
                findings.Error(givenEnergy.Line, $"'energy' is {givenEnergy.Value.Kind}", "a number above 0, at most 1");
            }
        }
        var combine = "exact";
        if (map.Find("combine") is { } givenCombine)
        {
            combine = (givenCombine.Value as YamlScalar)?.Text ?? "";
            if (!Combinations.Contains(combine))
            {
                findings.Error(givenCombine.Line, $"'combine' is {givenCombine.Value.Kind}",
                    $"one of {string.Join(", ", Combinations)}", NearestMatch.Question(combine, Combinations));
            }
        }
        return new(rank, energy, Pattern(map.Find("rank_pattern"), findings), combine, section.Line);
    }

    private static int? Rank(YamlEntry entry, string name, RecipeFindings findings)
    {
        if (entry.Value is YamlScalar { Quoted: false } text && RecipeNumber.TryWhole(text.Text, out var whole)
            && whole >= 1 && whole <= int.MaxValue)
        {
            return (int)whole;
        }
        findings.Error(entry.Line, $"{name} is {(entry.Value is YamlScalar given ? RecipeText.Quote(given.Text) : entry.Value.Kind)}",
            "a whole number from 1");
        return null;
    }

    private static List<ModuleRank> Pattern(YamlEntry? given, RecipeFindings findings)
    {
        var ranks = new List<ModuleRank>();
        if (given is not { } entry)
            return ranks;
        if (entry.Value is not YamlMap map)
        {
            findings.Error(entry.Line, $"'rank_pattern' is {entry.Value.Kind}", "a mapping from names of modules to ranks");
            return ranks;
        }
        foreach (var one in map.Entries)
        {
            if (Rank(one, $"the rank of {RecipeText.Quote(one.Key)}", findings) is { } rank)
                ranks.Add(new(one.Key, rank, one.Line));
        }
        return ranks;
    }
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Checks the keys of a section, and reads the plain values that sections have in common.</summary>
internal sealed class SectionKeys(RecipeFindings findings)
{
    /// <summary>Reports keys that the section does not have.</summary>
    public void Check(YamlMap map, string section, IReadOnlyList<string> keys)
    {
        foreach (var (key, line, _) in map.Entries.Where(e => !keys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} in '{section}'",
                $"one of {string.Join(", ", keys)}", NearestMatch.Question(key, keys));
        }
    }

    /// <summary>A text that is not empty, or null.</summary>
    public string? Text(YamlMap map, string key, string expected)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return scalar.Text;
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", expected);
        return null;
    }

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>, or null.</summary>
    public int? Whole(YamlMap map, string key, int least, int most)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { Quoted: false } scalar && RecipeNumber.TryWhole(scalar.Text, out var value)
            && value >= least && value <= most)
        {
            return (int)value;
        }
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", $"a whole number from {least} to {most}");
        return null;
    }
}

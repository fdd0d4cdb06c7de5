using System.Text;

namespace Merge.Recipes;

/// <summary>How text from a recipe appears in a message.</summary>
internal static class RecipeText
{
    private const int Longest = 80;

    /// <summary>What would have been right: one of several names, or the only one.</summary>
    /// <param name="names">At least one.</param>
    public static string OneOf(IReadOnlyCollection<string> names) =>
        names.Count == 1 ? names.First() : $"one of {string.Join(", ", names)}";

    /// <summary>In quotes, on one line, shortened: safe to print whatever the file holds.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (var rune in text.EnumerateRunes())
        {
            if (quoted.Length > Longest)
                return quoted.Append("…'").ToString();
            quoted.Append(Rune.IsControl(rune) || rune == Rune.ReplacementChar ? "·" : rune.ToString());
        }
        return quoted.Append('\'').ToString();
    }
}

using System.Text;

namespace Merge.Vocabulary;

/// <summary>How a token appears in a message.</summary>
internal static class TokenText
{
    private const int Longest = 60;
    private const int MostListed = 10;

    /// <summary>In quotes, on one line, shortened: safe to print whatever the file holds.</summary>
    public static string Quote(string token)
    {
        var text = new StringBuilder("'");
        foreach (var rune in token.EnumerateRunes())
        {
            if (text.Length > Longest)
                return text.Append("…'").ToString();
            text.Append(Rune.IsControl(rune) || rune == Rune.ReplacementChar ? "·" : rune.ToString());
        }
        return text.Append('\'').ToString();
    }

    /// <summary>The first of them, quoted, and how many more.</summary>
    public static string List(IReadOnlyCollection<string> tokens) =>
        string.Join(", ", tokens.Take(MostListed).Select(Quote))
        + (tokens.Count > MostListed ? $" and {tokens.Count - MostListed} more" : "");
}

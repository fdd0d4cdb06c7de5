using System.Text;

namespace Merge.Recipes;

/// <summary>A command line written as one text, as its words: quotes and backslashes as in a POSIX shell, and nothing
/// else of a shell.</summary>
internal static class ArgumentText
{
    private const string ShellOnly = "|&;<>()$`*?[]#~\n";

    /// <summary>The words, or null with what is wrong.</summary>
    public static IReadOnlyList<string>? Split(string text, out string? problem)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        problem = null;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is ' ' or '\t')
            {
                if (word is not null)
                    words.Add(word.ToString());
                word = null;
                continue;
            }
            if (ShellOnly.Contains(c))
            {
                problem = $"holds {(c == '\n' ? "a line break" : $"'{c}'")}, which only a shell understands";
                return null;
            }
            word ??= new();
            if (c is not ('\'' or '"' or '\\'))
            {
                word.Append(c);
                continue;
            }
            i = c == '\\' ? Escaped(text, i, word) : Quoted(text, i, word);
            if (i < text.Length)
                continue;
            problem = c == '\\' ? "ends with a backslash" : $"holds a {c} that is not closed";
            return null;
        }
        if (word is not null)
            words.Add(word.ToString());
        return words;
    }

    // Both return the place of the last character they took; the text's length where it ends too early.
    private static int Escaped(string text, int at, StringBuilder word)
    {
        if (at + 1 < text.Length)
            word.Append(text[at + 1]);
        return at + 1;
    }

    private static int Quoted(string text, int at, StringBuilder word)
    {
        var quote = text[at];
        for (at++; at < text.Length && text[at] != quote; at++)
        {
            if (quote == '"' && text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '"' or '\\')
                at++;
            word.Append(text[at]);
        }
        return at;
    }
}

using System.Text;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>A diagnostic as a person reads it: what was found, then a line each for the rest.</summary>
internal static class DiagnosticText
{
    private const string Indent = "  ";
    private const int LabelWidth = 10;

    /// <param name="width">Columns to wrap at; null leaves every part on one line.</param>
    public static string Of(Diagnostic diagnostic, int? width, bool colored)
    {
        var isError = diagnostic.Severity == Severity.Error;
        var text = new StringBuilder();
        Part(text, "", isError ? "error: " : "warning: ", diagnostic.Found, isError ? "1;31" : "1;33", width, colored);
        Part(text, Indent, "where:", diagnostic.Where, "2", width, colored);
        Part(text, Indent, "expected:", diagnostic.Expected, "2", width, colored);
        Part(text, Indent, "fix:", diagnostic.Fix, "1", width, colored);
        Part(text, Indent, "to act:", Who(diagnostic), "2", width, colored);
        return text.ToString();
    }

    private static string Who(Diagnostic diagnostic) => diagnostic.Actor switch
    {
        Actor.User => "you",
        Actor.PluginAuthor => $"the author of the plugin {diagnostic.Plugin}".TrimEnd(),
        _ => "the developers of merge",
    };

    private static void Part(
        StringBuilder text, string indent, string label, string? value, string style, int? width, bool colored)
    {
        if (value is null)
            return;
        var padded = indent.Length == 0 ? label : label.PadRight(LabelWidth);
        text.Append(indent).Append(colored ? $"\e[{style}m{padded}\e[0m" : padded);
        var margin = indent.Length + padded.Length;
        var column = margin;
        foreach (var word in value.Split(' '))
        {
            var space = column > margin ? 1 : 0;
            if (width is { } limit && space == 1 && column + space + word.Length > limit)
            {
                text.AppendLine().Append(' ', margin);
                (column, space) = (margin, 0);
            }
            text.Append(' ', space).Append(word);
            column += space + word.Length;
        }
        text.AppendLine();
    }
}

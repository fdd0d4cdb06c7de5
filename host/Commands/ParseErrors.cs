using System.CommandLine;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>What is wrong with a command line, in the words of all other errors.</summary>
internal static class ParseErrors
{
    public static MergeException Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(c => c.Name)
            .Concat(WithParents(parsed).SelectMany(c => c.Options).SelectMany(o => (string[])[o.Name, .. o.Aliases]))
            .ToArray();
        var unknown = parsed.UnmatchedTokens
            .Select(token => new Diagnostic(
                $"there is no {(token.StartsWith('-') ? "option" : "command or argument")} '{token}'")
            {
                Where = Path(parsed),
                Fix = NearestMatch.Of(token, known) is { } nearest
                    ? $"Did you mean '{nearest}'?"
                    : $"See {Path(parsed)} --help.",
            })
            .ToList();
        var others = parsed.Errors
            .Where(e => !parsed.UnmatchedTokens.Any(
                token => e.Message.Contains($"'{token}'", StringComparison.Ordinal)))
            .Select(e => new Diagnostic(OneLine(e.Message).TrimEnd('.'))
            {
                Where = Path(parsed),
                Fix = $"See {Path(parsed)} --help.",
            });
        return new MergeException([.. unknown, .. others]) { WrongUsage = true };
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<Command> WithParents(ParseResult parsed)
    {
        for (var result = parsed.CommandResult; result is not null;
            result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            yield return result.Command;
        }
    }

    private static string Path(ParseResult parsed) =>
        string.Join(' ', WithParents(parsed).Reverse().Select(c => c is RootCommand ? "merge" : c.Name));
}

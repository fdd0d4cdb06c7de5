using System.CommandLine;
using System.CommandLine.Parsing;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>What is wrong with a command line, in the words of all other errors.</summary>
internal static class ParseErrors
{
    /// <summary>Whether there is anything to <see cref="Explain"/>.</summary>
    public static bool Any(ParseResult parsed) => parsed.Errors.Count > 0 || Mistyped(parsed).Any();

    public static MergeException Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(c => c.Name)
            .Concat(WithParents(parsed).SelectMany(c => c.Options).SelectMany(o => (string[])[o.Name, .. o.Aliases]))
            .ToArray();
        var unknown = Mistyped(parsed).Concat(parsed.UnmatchedTokens)
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

    /// <summary>
    /// What looks like an option, and was taken for an argument because no option has its name: a folder of that name
    /// is what nobody wants to make. Behind a -- everything is an argument.
    /// </summary>
    private static IEnumerable<string> Mistyped(ParseResult parsed)
    {
        var options = parsed.Tokens.TakeWhile(t => t.Type != TokenType.DoubleDash).ToHashSet();
        return parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(r => r.Tokens)
            .Where(t => t.Value.Length > 1 && t.Value[0] == '-' && options.Contains(t))
            .Select(t => t.Value);
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<Command> WithParents(ParseResult parsed)
    {
        for (var result = parsed.CommandResult; result is not null;
            result = result.Parent as CommandResult)
        {
            yield return result.Command;
        }
    }

    private static string Path(ParseResult parsed) =>
        string.Join(' ', WithParents(parsed).Reverse().Select(c => c is RootCommand ? "merge" : c.Name));
}

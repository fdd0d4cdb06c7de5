using System.Text.Json;

namespace EndToEnd.Tests.Support;

/// <summary>What every refusal has in common.</summary>
internal static class Failures
{
    private const string StackLine = "   at Merge.";

    /// <summary>
    /// Runs a merge that must be refused: with this exit code, these words on standard error, no stack trace; with
    /// --json --verbose as one JSON object that says the same and has the stack; and nothing where the output would be.
    /// </summary>
    public static Outcome Refuses(this Scratch scratch, int exitCode, string[] words, params string[] arguments)
    {
        var outcome = scratch.Merge(arguments);
        Assert.True(outcome.ExitCode == exitCode, outcome.ToString());
        Assert.Equal("", outcome.Out);
        Assert.Contains("error: ", outcome.Error);
        Assert.All(words, word => Assert.Contains(word, outcome.Error));
        Assert.DoesNotContain(StackLine, outcome.Error);
        Assert.DoesNotContain("fault in merge itself", outcome.Error);

        var verbose = scratch.Merge([arguments[0], "--json", "--verbose", .. arguments[1..]]);
        Assert.Equal(exitCode, verbose.ExitCode);
        Assert.Equal("", verbose.Error);
        Assert.False(verbose.Json.GetProperty("ok").GetBoolean());
        var errors = verbose.Json.GetProperty("errors").EnumerateArray().ToArray();
        var said = string.Join('\n', errors.SelectMany(e => e.EnumerateObject()).Select(p => p.Value.GetString()));
        Assert.All(words, word => Assert.Contains(word, said));
        Assert.All(errors, e => Assert.NotEqual(JsonValueKind.Undefined, e.GetProperty("where").ValueKind));
        Assert.Contains(StackLine, verbose.Json.GetProperty("stack").GetString());
        Assert.False(scratch.HoldsOutput("out"), "something is left where the output would be");
        return outcome;
    }
}

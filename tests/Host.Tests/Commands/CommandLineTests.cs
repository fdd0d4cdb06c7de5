using System.CommandLine;
using System.Text.Json;
using Merge.Commands;
using Merge.Sdk;

namespace Host.Tests.Commands;

public sealed class CommandLineTests : IDisposable
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Help_shows_commands_and_examples()
    {
        Assert.Equal(0, await Run("--help"));
        Assert.Contains("plugins", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("merge run recipe.yml", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistyped_command_is_wrong_usage_and_names_the_nearest()
    {
        Assert.Equal(2, await Run("plugin"));
        Assert.Empty(_out.ToString());
        Assert.StartsWith(
            "error: there is no command or argument 'plugin'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Did you mean 'plugins'?", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_wrong_part_of_a_command_line_is_named()
    {
        Assert.Equal(2, await Run("plugins", "--jsn", "extra"));
        Assert.Contains("'--json'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("'extra'", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'--dryrun'|Did you mean '--dry-run'?", "run", "r.yml", "--dryrun")]
    [InlineData("'--thread'|Did you mean '--threads'?", "run", "r.yml", "--thread", "4")]
    [InlineData("'-o'", "run", "r.yml", "-o", "merged")]
    [InlineData("'--accpet'|Did you mean '--accept'?", "soup", "--accpet", "better")]
    public async Task A_mistyped_option_is_not_taken_for_an_argument(string expected, params string[] arguments)
    {
        Assert.Equal(2, await Run(arguments));
        Assert.StartsWith("error: there is no option '-", _error.ToString(), StringComparison.Ordinal);
        Assert.All(expected.Split('|'), e => Assert.Contains(e, _error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Behind_two_dashes_everything_is_an_argument()
    {
        Assert.Equal(2, await Run("run", "r.yml", "--", "--merged"));
        Assert.DoesNotContain("--merged", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("r.yml", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_json_errors_are_one_object_on_standard_output()
    {
        Assert.Equal(2, await Run("--json", "plugin"));
        Assert.Empty(_error.ToString());
        var root = JsonDocument.Parse(_out.ToString()).RootElement;
        Assert.False(root.GetProperty("ok").GetBoolean());
        Assert.Equal("Did you mean 'plugins'?", root.GetProperty("errors")[0].GetProperty("fix").GetString());
    }

    [Theory]
    [InlineData("RECIPE, what to merge, is missing|OUT, the folder to make, is missing", "run")]
    [InlineData("RECIPE, what to merge, is missing", "run", "--dry-run")]
    [InlineData("OUT, the folder to make, is missing", "run", "r.yml")]
    public async Task What_is_missing_is_told_at_once_and_once(string found, params string[] arguments)
    {
        Assert.Equal(2, await Run(["--json", .. arguments]));
        var errors = JsonDocument.Parse(_out.ToString()).RootElement.GetProperty("errors");
        Assert.Equal(found, string.Join('|', errors.EnumerateArray().Select(e => e.GetProperty("found").GetString())));
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task All_reasons_are_printed_with_who_must_act()
    {
        var code = await RunAction(_ => throw new MergeException([
            new Diagnostic("one") { Where = "here", Expected = "this", Fix = "Do that." },
            new Diagnostic("two") { Actor = Actor.PluginAuthor }]));

        Assert.Equal(1, code);
        Assert.Equal(
            """
            error: one
              where:    here
              expected: this
              fix:      Do that.
              to act:   you
            error: two
              to act:   the author of the plugin

            """,
            _error.ToString());
    }

    [Fact]
    public async Task A_fault_of_merge_shows_its_stack_only_when_asked_for()
    {
        Assert.Equal(1, await RunAction(_ => throw new InvalidOperationException("oops")));
        Assert.Contains("merge itself: InvalidOperationException: oops", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _error.ToString(), StringComparison.Ordinal);

        Assert.Equal(1, await RunAction(_ => throw new InvalidOperationException("oops"), "--verbose"));
        Assert.Contains("   at ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_warning_goes_to_standard_error_or_into_the_object()
    {
        await RunAction(terminal => terminal.Warn(new Diagnostic("careful")));
        Assert.StartsWith("warning: careful", _error.ToString(), StringComparison.Ordinal);

        await RunAction(terminal =>
        {
            terminal.Warn(new Diagnostic("careful") { Severity = Severity.Warning });
            terminal.Json(json => json.WriteNumber("n", 1));
        }, "--json");
        Assert.Equal(
            """{"ok":true,"n":1,"warnings":[{"severity":"warning","found":"careful","actor":"user"}]}""",
            _out.ToString().Trim());
    }

    [Fact]
    public void A_long_diagnostic_is_wrapped_under_its_own_column_and_colored_only_on_request()
    {
        var diagnostic = new Diagnostic("aaaa bbbb cccc dddd");

        Assert.Equal(
            "error: aaaa bbbb\n       cccc dddd\n  to act:   you\n",
            DiagnosticText.Of(diagnostic, 17, colored: false));
        Assert.Contains("\e[1;31m", DiagnosticText.Of(diagnostic, 17, colored: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _merge merge")]
    [InlineData("zsh", "compdef _merge merge")]
    [InlineData("fish", "complete -c merge")]
    public async Task Completion_prints_a_script_for_the_shell(string shell, string line)
    {
        Assert.Equal(0, await Run("completion", shell));
        Assert.Contains(line, _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suggestions_answer_what_the_scripts_ask()
    {
        Assert.Equal(0, await Run("[suggest:8]", "merge pl"));
        Assert.Contains("plugins", _out.ToString().Split('\n').Select(line => line.Trim()));
    }

    private Task<int> Run(params string[] args) => CommandLine.RunAsync(args, new Terminal(_out, _error));

    private Task<int> RunAction(Action<Terminal> action, params string[] args)
    {
        var terminal = new Terminal(_out, _error);
        var root = new RootCommand();
        root.Options.Add(GlobalOptions.Json);
        root.Options.Add(GlobalOptions.Verbose);
        root.Options.Add(GlobalOptions.NoColor);
        root.SetAction(_ => action(terminal));
        return CommandLine.RunAsync(args, terminal, root);
    }
}

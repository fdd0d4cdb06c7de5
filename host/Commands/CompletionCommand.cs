using System.CommandLine;

namespace Merge.Commands;

/// <summary><c>merge completion SHELL</c>: a script that asks merge itself, so it never falls behind.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _merge() {
            local IFS=$'\n'
            local words=$(merge "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
            COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _merge merge
        """;

    private const string Zsh = """
        _merge() {
            local -a found
            found=(${(f)"$(merge "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"})
            (( ${#found} )) && compadd -- $found || _files
        }
        compdef _merge merge
        """;

    private const string Fish = """
        complete -c merge -a '(merge "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
        """;

    public static Command Create(Terminal terminal)
    {
        var shell = new Argument<string>("shell")
        {
            Description = "The shell to complete in.",
            HelpName = "bash|zsh|fish",
        };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            "Print a script that completes merge's commands and options: source <(merge completion bash).")
        {
            shell,
        };
        command.SetAction(parsed => terminal.Out.WriteLine(parsed.GetValue(shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            _ => Fish,
        }));
        return command;
    }
}

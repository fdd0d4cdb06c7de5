using System.CommandLine;
using System.CommandLine.Help;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>The <c>merge</c> command: parses, runs, and turns whatever happens into words and an exit code.</summary>
internal static class CommandLine
{
    /// <returns>0 done; 1 failed; 2 wrong command line or recipe; 130 interrupted, 143 told to stop.</returns>
    public static Task<int> RunAsync(string[] args, Terminal terminal) =>
        RunAsync(args, terminal, CreateRoot(terminal));

    internal static async Task<int> RunAsync(string[] args, Terminal terminal, RootCommand root)
    {
        var parsed = root.Parse(args);
        terminal.IsJson = parsed.GetValue(GlobalOptions.Json);
        terminal.IsVerbose = parsed.GetValue(GlobalOptions.Verbose);
        terminal.IsColored &= !parsed.GetValue(GlobalOptions.NoColor);
        using var interruption = new Interruption();
        try
        {
            if (parsed.Action is not HelpAction && ParseErrors.Any(parsed))
                throw ParseErrors.Explain(parsed);
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = terminal.Out,
                    Error = terminal.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                },
                interruption.Token);
        }
        catch (MergeException e)
        {
            terminal.Fail(e.Diagnostics, e);
            return e.WrongUsage ? 2 : 1;
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            terminal.Fail([new Diagnostic("stopped before it was done")], null);
            return interruption.ExitCode;
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            terminal.Fail([new Diagnostic($"a file could not be read or written: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}")
            {
                Fix = FileProblem.IsDiskFull(e) ? "Free space, and give the same command again." : "Look at the path and its permissions.",
            }], e);
            return 1;
        }
        catch (Exception e)
        {
            terminal.Fail([new Diagnostic($"a fault in merge itself: {e.GetType().Name}: {e.Message}")
            {
                Actor = Actor.Developers,
                Fix = terminal.IsVerbose
                    ? "Please report it with the text above and the command line."
                    : "Please report it with the command line; --verbose prints what the developers need.",
            }], e);
            return 1;
        }
    }

    private static RootCommand CreateRoot(Terminal terminal)
    {
        var root = new RootCommand(
            "Merges models: a recipe and checkpoints go in, one streaming pass writes the merged checkpoint.")
        {
            RunCommand.Create(terminal),
            SearchCommand.Create(terminal),
            SoupCommand.Create(terminal),
            TrialsCommand.Create(terminal),
            EvaluateCommand.Create(terminal),
            ValidateCommand.Create(terminal),
            BakeCommand.Create(terminal),
            ExtractCommand.Create(terminal),
            GraftCommand.Create(terminal),
            CurvatureCommand.Create(terminal),
            InspectCommand.Create(terminal),
            ConvertCommand.Create(terminal),
            DemoCommand.Create(terminal),
            ExplainCommand.Create(terminal),
            PluginsCommand.Create(terminal),
            CompletionCommand.Create(terminal),
            EvaluatorGuardCommand.Create(),
        };
        root.Options.Add(GlobalOptions.Json);
        root.Options.Add(GlobalOptions.Verbose);
        root.Options.Add(GlobalOptions.NoColor);
        root.Options.Add(GlobalOptions.TrustedOnly);
        root.SetAction(parsed => new HelpAction().Invoke(parsed));
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>A merge by a recipe made from the words of a command: what such commands have in common, options and course.</summary>
/// <param name="terminal">Where warnings, progress and report go.</param>
/// <param name="made">What OUT is, a sentence.</param>
internal sealed class CommandLineRecipe(Terminal terminal, string made)
{
    public Argument<string> Output { get; } = MergeOptions.NotEmpty(
        new Argument<string>("OUT") { Description = made + " Complete as soon as it has this name." });

    public Option<bool> Force { get; } = new("--force") { Description = "Replace OUT if an earlier merge made it." };

    public Option<int?> Threads { get; } = MergeOptions.Threads();

    public Option<long?> Memory { get; } = MergeOptions.Memory();

    public Option<string[]> ModelDirs { get; } = MergeOptions.ModelDirs();

    /// <summary>Not every command has it.</summary>
    public Option<string[]> Plugins { get; } = MergeOptions.Plugins();

    /// <summary>Not every command has it.</summary>
    public Option<long?> MaxShard { get; } = MergeOptions.MaxShard();

    /// <summary>A text as a YAML scalar.</summary>
    public static string Quoted(string text) => $"'{text.Replace("'", "''")}'";

    /// <summary>Plans a recipe, prints the plan's warnings, runs it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="text">The recipe.</param>
    /// <param name="cancellation">Stops the merge; what is finished is kept.</param>
    /// <param name="change">Makes another plan of it; null: it is run as it is.</param>
    /// <param name="mismatch">What to do where a tensor's shape is not the same in all models.</param>
    /// <exception cref="MergeException">It cannot be planned or run.</exception>
    public void Run(ParseResult parsed, string text, CancellationToken cancellation, Func<MergePlan, MergePlan>? change = null,
        OnMismatch mismatch = OnMismatch.Error)
    {
        try
        {
            Execute(parsed, text, change, mismatch, cancellation);
        }
        catch (MergeException fault)
        {
            throw new MergeException([.. fault.Diagnostics.Select(OfCommand)], fault) { WrongUsage = fault.WrongUsage };
        }
    }

    // Resolved as in a recipe in the working directory; here the "recipe" is the command line.
    private static string RecipePath => Path.Combine(Environment.CurrentDirectory, "command line");

    // No file of that name is there to look at.
    private static Diagnostic OfCommand(Diagnostic diagnostic) => diagnostic.Where is { } where
        ? diagnostic with { Where = Regex.Replace(where, Regex.Escape(RecipePath) + @"(, line \d+)?", "the command line") } : diagnostic;

    private void Execute(
        ParseResult parsed, string text, Func<MergePlan, MergePlan>? change, OnMismatch mismatch, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var catalog = PluginOptions.Load(parsed, terminal, Plugins);
        using var planner = new RecipePlanner(catalog, parsed.GetValue(ModelDirs) ?? []) { OnMismatch = mismatch };
        var plan = planner.Plan(
            RecipeParser.Parse(RecipePath, text),
            parsed.GetValue(MaxShard) ?? PlanRequest.DefaultMaxShardBytes);
        plan = change?.Invoke(plan) ?? plan;
        foreach (var warning in plan.Warnings)
            terminal.Warn(OfCommand(warning));
        new SingleRun
        {
            Terminal = terminal,
            Plan = plan,
            Settings = MergeOptions.Settings(parsed.GetValue(Threads), parsed.GetValue(Memory)),
            Force = parsed.GetValue(Force),
            Clock = clock,
        }.Execute(parsed.GetRequiredValue(Output), cancellation);
    }
}

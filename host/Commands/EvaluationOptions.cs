using System.CommandLine;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>How models on the command line are scored: <c>--evaluate</c> and what counts, as sections of a recipe.</summary>
/// <param name="beside">Whether models stand beside a recipe as what a command takes, so that the options have to say that they are theirs.</param>
internal sealed class EvaluationOptions(bool beside)
{
    public const string Name = "--evaluate";

    private const string Plugin = "plugin:";
    private const string Worker = "worker:";

    public Option<string?> Evaluate { get; } = MergeOptions.NotEmpty(new Option<string?>(Name)
    {
        Description = (beside ? "Of models: how" : "How") + " they are scored. A command with {candidate} and {split} in it, worker:COMMAND, or plugin:ID.",
        HelpName = "COMMAND",
    });

    public Option<string?> Maximize { get; } = MergeOptions.NotEmpty(new Option<string?>("--maximize")
    {
        Description = (beside ? "Of models: the" : "The") + " metric that should be high.",
        HelpName = "METRIC",
    });

    public Option<string?> Minimize { get; } = MergeOptions.NotEmpty(new Option<string?>("--minimize")
    {
        Description = (beside ? "Of models: the" : "The") + " metric that should be low.",
        HelpName = "METRIC",
    });

    /// <summary>What is given of them, by its name; null: nothing.</summary>
    public string? Given(ParseResult parsed) => new[] { Evaluate, Maximize, Minimize }.FirstOrDefault(o => parsed.GetValue(o) is not null)?.Name;

    /// <summary>A recipe of the models and the sections that are asked for, in the working directory.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="method">How they would be merged.</param>
    /// <param name="models">The models, in the words of a recipe.</param>
    /// <param name="more">Further keys of <c>evaluate</c>.</param>
    /// <exception cref="MergeException">What is wrong with it.</exception>
    public Recipe Recipe(ParseResult parsed, string method, IEnumerable<string> models, params IEnumerable<(string Key, string Value)> more)
    {
        var (maximize, minimize) = (parsed.GetValue(Maximize), parsed.GetValue(Minimize));
        if (maximize is not null && minimize is not null)
            throw Wrong("both --maximize and --minimize are given", "Give one of the two.");
        var map = new YamlMap(
        [
            Entry("merge_method", Word(method)),
            Entry("models", new YamlList([.. models.Select(m => new YamlMap([Entry("model", Word(m))], 1))], 1)),
            .. parsed.GetValue(Evaluate) is { } evaluate
                ? [Entry("evaluate", new YamlMap([Who(evaluate), .. more.Select(m => Entry(m.Key, Word(m.Value)))], 1))] : Array.Empty<YamlEntry>(),
            .. (maximize ?? minimize) is { } metric
                ? [Entry("objective", new YamlMap([Entry(maximize is null ? "minimize" : "maximize", Word(metric))], 1))] : Array.Empty<YamlEntry>(),
        ], 1);
        return RecipeParser.Parse(CommandLinePath, YamlText.Of(map));
    }

    /// <summary>Does work on that recipe; what is wrong with its lines, which are in no file, is wrong with the command line.</summary>
    public static async Task<T> Named<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (MergeException fault)
        {
            throw new MergeException([.. fault.Diagnostics.Select(Named)], fault) { WrongUsage = fault.WrongUsage };
        }
    }

    /// <inheritdoc cref="Named{T}"/>
    public static Diagnostic Named(Diagnostic found) =>
        found.Where?.StartsWith(CommandLinePath, StringComparison.Ordinal) is true ? found with { Where = "the command line" } : found;

    // A name that is fit for a file: a search's report has it as its title.
    private static string CommandLinePath => Path.Combine(Environment.CurrentDirectory, "command-line.yaml");

    public static MergeException Wrong(string found, string fix) => new(new Diagnostic(found) { Fix = fix }) { WrongUsage = true };

    private static YamlEntry Who(string evaluate) =>
        evaluate.StartsWith(Plugin, StringComparison.Ordinal) ? Entry("plugin", Word(evaluate[Plugin.Length..]))
        : evaluate.StartsWith(Worker, StringComparison.Ordinal) ? Entry("worker", Word(evaluate[Worker.Length..]))
        : Entry("command", Word(evaluate));

    private static YamlEntry Entry(string key, YamlNode value) => new(key, 1, value);

    private static YamlScalar Word(string text) => new(text, true, 1);
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Search;

namespace Merge.Commands;

/// <summary><c>merge soup</c>: averages the models that make the average better, by the user's own evaluation.</summary>
internal static class SoupCommand
{
    public static Command Create(Terminal terminal)
    {
        var inputs = MergeOptions.NotEmpty(new Argument<string[]>("INPUT")
        {
            Description = "A recipe with 'evaluate' and 'objective'; or models, with --evaluate and --maximize or --minimize. Then OUT, the folder to make.",
            Arity = new ArgumentArity(2, 10_000),
        });
        var uniform = new Option<bool>("--uniform") { Description = "Average all of them, whatever they score." };
        var accept = new Option<AcceptRule>("--accept")
        {
            Description = "When a model stays: better (as good or better with it: the paper's rule; the default), strictly (better with it: "
                + "the authors' code), significant (a paired bootstrap over the examples sees a gain).",
            HelpName = "RULE",
        };
        var evaluation = new EvaluationOptions(beside: true);
        var resume = new Option<bool>("--resume") { Description = "Go on with the soup in OUT." };
        var (modelDirs, plugins, mismatch) = (MergeOptions.ModelDirs(), MergeOptions.Plugins(), MergeOptions.Mismatch());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var (device, gpuMemory) = (DeviceOptions.Device(), DeviceOptions.Memory());
        var command = new Command("soup", "Average those models that make the average better in your own evaluation (greedy soup), or all.")
        {
            inputs, uniform, accept, evaluation.Evaluate, evaluation.Maximize, evaluation.Minimize, resume, threads, memory, device, gpuMemory, modelDirs, plugins, mismatch,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            var given = parsed.GetRequiredValue(inputs);
            var recipe = IsRecipe(given)
                ? FromFile(given[0], evaluation.Given(parsed))
                : OfModels(given[..^1], evaluation, parsed);
            using var gpu = DeviceOptions.Open(parsed.GetValue(device), parsed.GetValue(gpuMemory), terminal);
            var request = new SearchRequest
            {
                Recipe = SoupRecipe.Of(recipe, catalog),
                Plugins = catalog,
                Folder = new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given[^1]))),
                ModelDirs = parsed.GetValue(modelDirs) ?? [],
                OnMismatch = (parsed.GetValue(mismatch) ?? []).Aggregate(OnMismatch.Error, (all, one) => all | one),
                Settings = MergeOptions.SearchSettings(parsed.GetValue(threads), parsed.GetValue(memory))
                    .On(gpu, parsed.GetValue(threads), parsed.GetValue(memory)),
                Resume = parsed.GetValue(resume),
            };
            var job = new SoupJob(request, !parsed.GetValue(uniform), parsed.GetValue(accept));
            using var session = job.Open();
            foreach (var warning in session.Planned.Plan.Warnings.Concat(session.Journal.Notes))
                terminal.Warn(warning);
            using var kept = new KeptJournal(terminal, request, parsed);
            var outcome = SearchDisplay.Run(terminal, "soup", request.Progress, () => job.Run(session, cancellation));
            if (outcome.Best is not null)
            {
                foreach (var finding in BestModel.Make(session, outcome.Best.Point, Comment(session, job, outcome), cancellation))
                    terminal.Warn(finding);
            }
            SearchReport.Write(session, outcome, job.Name, cancellation);
            FindingsFile.Write(session, outcome);
            kept.IsOver = true;
            SoupListing.Print(terminal, session, job, outcome, clock.Elapsed);
            return Task.FromResult(outcome.Best is null ? throw SearchListing.NoScore(request.Folder, outcome.Trials) : 0);
        });
        return command;
    }

    private static bool IsRecipe(string[] inputs) =>
        inputs.Length == 2 && Path.GetExtension(inputs[0]).ToLowerInvariant() is ".yaml" or ".yml";

    private static Recipe FromFile(string path, string? option) => option is null
        ? RecipeFile.Read(path)
        : throw EvaluationOptions.Wrong($"{option} is given beside a recipe, which says itself how candidates are scored", "Change the recipe's 'evaluate' or 'objective'.");

    /// <summary>The recipe that models on the command line stand for.</summary>
    private static Recipe OfModels(string[] models, EvaluationOptions evaluation, ParseResult parsed)
    {
        if (parsed.GetValue(evaluation.Evaluate) is null)
        {
            throw EvaluationOptions.Wrong("nothing says how the models are scored",
                "Give --evaluate 'python3 eval.py {candidate} {split}', or a recipe with 'evaluate'.");
        }
        var recipe = evaluation.Recipe(parsed, "uniform", models);
        return recipe.Objective is not null ? recipe
            : throw EvaluationOptions.Wrong("nothing says which metric counts", "Give one of --maximize METRIC and --minimize METRIC.");
    }

    private static string[] Comment(SearchSession session, SoupJob job, SearchOutcome outcome) =>
    [
        $"The {job.Name} ({session.Recipe.Objective}): {outcome.Best!.Objective?.ToString("0.#####", CultureInfo.InvariantCulture)} on "
            + $"'{session.Recipe.Splits.Selection}'. A model of weight 0 is not in it.",
    ];
}

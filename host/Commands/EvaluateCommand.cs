using System.CommandLine;
using System.Diagnostics;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Search;

namespace Merge.Commands;

/// <summary><c>merge evaluate MODEL …</c>: what models score in the user's own evaluation, and whether they differ.</summary>
internal static class EvaluateCommand
{
    // Shorter work needs no news of it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static Command Create(Terminal terminal)
    {
        var models = MergeOptions.NotEmpty(new Argument<string[]>("MODEL")
        {
            Description = "The models: folders, files, base+adapter, patterns such as 'run/checkpoint-*'. The others are compared with the first.",
            Arity = new ArgumentArity(0, 10_000),
        });
        var evaluation = new EvaluationOptions(beside: false);
        var recipe = MergeOptions.NotEmpty(new Option<string?>("--recipe")
        {
            Description = "Take 'evaluate', 'objective' and 'splits' from this recipe, all the options of an evaluator included.",
            HelpName = "RECIPE",
        });
        var split = MergeOptions.NotEmpty(new Option<string?>("--split")
        {
            Description = "The split to score on. Default: the report split, which chose nothing.",
            HelpName = "NAME",
        });
        var timeout = MergeOptions.NotEmpty(new Option<string?>("--timeout")
        {
            Description = "What one attempt to score a model may take: 90s, 30m, 2h. Default: as long as it likes.",
            HelpName = "TIME",
        });
        var workers = MergeOptions.Count("--workers", "Models scored at once. Default 1 by a program, one a processor by a plugin.", 1, 1024);
        var (modelDirs, plugins) = (MergeOptions.ModelDirs(), MergeOptions.Plugins());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command("evaluate", "Score models in your own evaluation, and tell whether they differ from the first.")
        {
            models, evaluation.Evaluate, evaluation.Maximize, evaluation.Minimize, recipe, split, timeout, workers,
            threads, memory, modelDirs, plugins,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(models) is not { Tokens.Count: > 0 })
                result.AddError("MODEL, what to score, is missing");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            (string, string)[] more =
            [
                .. parsed.GetValue(timeout) is { } time ? [("timeout", time)] : Array.Empty<(string, string)>(),
                .. parsed.GetValue(workers) is { } count ? [("workers", $"{count}")] : Array.Empty<(string, string)>(),
            ];
            var listed = await EvaluationOptions.Named(() => Task.FromResult(
                evaluation.Recipe(parsed, EvaluateJob.Method, parsed.GetRequiredValue(models), more)));
            var scoring = Scoring(parsed.GetValue(recipe), listed, evaluation.Given(parsed) ?? (more is [] ? null : $"--{more[0].Item1}"));
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            foreach (var warning in scoring.Warnings.Select(EvaluationOptions.Named))
                terminal.Warn(warning);
            var done = 0;
            var job = new EvaluateJob(new(
                listed, scoring.Evaluate!, scoring.Objective, scoring.Path,
                parsed.GetValue(split) ?? scoring.Splits.Report ?? scoring.Splits.Selection)
            {
                Plugins = catalog,
                ModelDirs = parsed.GetValue(modelDirs) ?? [],
                Settings = MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)),
                Scored = model =>
                {
                    var number = Interlocked.Increment(ref done);
                    if (clock.Elapsed > Patience)
                        terminal.Note($"scored {number}: {model.Name}");
                },
            });
            var outcome = await EvaluationOptions.Named(() => job.Run(cancellation));
            return new EvaluationListing(terminal, job.Request, outcome).Print();
        });
        return command;
    }

    /// <summary>The recipe that says who scores.</summary>
    private static Recipe Scoring(string? path, Recipe listed, string? option)
    {
        if (path is not null && option is not null)
        {
            throw EvaluationOptions.Wrong($"{option} is given beside --recipe, which says itself how models are scored",
                "Give one of the two; or change the recipe's 'evaluate' or 'objective'.");
        }
        var scoring = path is null ? listed : RecipeFile.Read(path);
        if (scoring.Evaluate is not null)
            return scoring;
        throw path is null
            ? EvaluationOptions.Wrong("nothing says how the models are scored",
                "Give --evaluate 'python3 eval.py {candidate} {split}', --evaluate plugin:ID, or --recipe with 'evaluate' in it.")
            : new MergeException(new Diagnostic("the recipe does not say how a model is scored: it has no 'evaluate:'")
            {
                Where = path,
                Fix = "docs/evaluators.md shows the three kinds; or give --evaluate instead of --recipe.",
            })
            { WrongUsage = true };
    }
}

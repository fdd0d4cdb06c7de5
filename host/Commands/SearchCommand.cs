using System.CommandLine;
using System.Diagnostics;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Search;

namespace Merge.Commands;

/// <summary><c>merge search RECIPE OUT</c>: looks for the values that score best, by the user's own evaluation.</summary>
internal static class SearchCommand
{
    public static Command Create(Terminal terminal)
    {
        var recipe = MergeOptions.Recipe();
        var output = new Argument<string?>("OUT")
        {
            Description = "The folder of the search: journal, report, the best recipe and model. Not needed for --dry-run.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var resume = new Option<bool>("--resume") { Description = "Go on with the search in OUT, also with more trials than it had." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be searched, and write nothing." };
        var noise = MergeOptions.Count("--measure-noise",
            "Measure the best five candidates N times more: how far apart does the evaluator put one and the same?", 1, 1000);
        var (modelDirs, plugins, mismatch) = (MergeOptions.ModelDirs(), MergeOptions.Plugins(), MergeOptions.Mismatch());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var (device, gpuMemory) = (DeviceOptions.Device(), DeviceOptions.Memory());
        var command = new Command("search", "Look for the values that score best in your own evaluation; the recipe says how.")
        {
            recipe, output, resume, dryRun, noise, threads, memory, device, gpuMemory, modelDirs, plugins, mismatch,
        };
        command.Validators.Add(result =>
        {
            if (!result.GetValue(dryRun) && string.IsNullOrEmpty(result.GetValue(output)))
                result.AddError("OUT, the folder of the search, is missing");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            using var gpu = DeviceOptions.Open(parsed.GetValue(device), parsed.GetValue(gpuMemory), terminal);
            var request = new SearchRequest
            {
                Recipe = RecipeFile.Read(parsed.GetRequiredValue(recipe)),
                Plugins = catalog,
                Folder = new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(output) ?? "search"))),
                ModelDirs = parsed.GetValue(modelDirs) ?? [],
                OnMismatch = (parsed.GetValue(mismatch) ?? []).Aggregate(OnMismatch.Error, (all, one) => all | one),
                Settings = MergeOptions.SearchSettings(parsed.GetValue(threads), parsed.GetValue(memory))
                    .On(gpu, parsed.GetValue(threads), parsed.GetValue(memory)),
                Resume = parsed.GetValue(resume),
                NoiseMeasurements = parsed.GetValue(noise) ?? 0,
            };
            var job = new SearchJob(request);
            if (parsed.GetValue(dryRun))
            {
                using var planned = job.Plan();
                SpaceListing.Print(terminal, planned, request.Recipe);
                return Task.FromResult(0);
            }
            using var session = job.Open();
            foreach (var warning in session.Planned.Plan.Warnings.Concat(session.Journal.Notes))
                terminal.Warn(warning);
            if (session.Journal.Trials.Count > 0)
                terminal.Note($"{session.Journal.Trials.Count} trials are taken over from the journal");
            using var kept = new KeptJournal(terminal, request, parsed);
            var outcome = SearchDisplay.Run(terminal, "search", request.Progress, () => job.Run(session, cancellation));
            if (outcome.Best is not null)
            {
                foreach (var finding in BestModel.Make(session, outcome.Best.Point, SearchListing.Comment(session, outcome), cancellation))
                    terminal.Warn(finding);
            }
            SearchReport.Write(session, outcome, request.Recipe.Search!.Searcher, cancellation);
            FindingsFile.Write(session, outcome);
            kept.IsOver = true;
            SearchListing.Print(terminal, session, outcome, clock.Elapsed);
            return Task.FromResult(outcome.Best is null ? throw SearchListing.NoScore(request.Folder, outcome.Trials) : 0);
        });
        return command;
    }
}

/// <summary>However a search ends early: says that nothing is lost, and how to go on.</summary>
internal sealed class KeptJournal(Terminal terminal, SearchRequest request, ParseResult parsed) : IDisposable
{
    public bool IsOver { get; set; }

    public void Dispose()
    {
        if (!IsOver && request.Progress.CanGoOn && TrialJournal.IsIn(request.Folder.Path))
        {
            terminal.Note($"{request.Progress.Done} trials are kept in {request.Folder.Journal}; to go on: "
                + $"merge {string.Join(' ', parsed.Tokens.Select(t => Quoted(t.Value)).Where(a => a != "--resume").Append("--resume"))}");
        }
    }

    // As a shell reads it: a command of one's own has spaces and braces in it.
    private static string Quoted(string argument) => argument.Length > 0 && argument.All(c => char.IsLetterOrDigit(c) || "-_./:=,+@%".Contains(c))
        ? argument : $"'{argument.Replace("'", "'\\''")}'";
}

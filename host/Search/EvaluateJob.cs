using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Trust;

namespace Merge.Search;

/// <summary>
/// <c>merge evaluate</c>: scores models by the evaluators of a search. A program gets a copy of a model's folder; a model that
/// has none (a single file, a model with adapters in it) is written as one by <c>passthrough</c>.
/// </summary>
internal sealed class EvaluateJob(EvaluateRequest request)
{
    private const int LinesShown = 10;

    /// <summary>The method of <see cref="EvaluateRequest.Models"/>: it changes nothing.</summary>
    public const string Method = "passthrough";

    public EvaluateRequest Request => request;

    /// <exception cref="MergeException">A model or the evaluator cannot be opened, or no answer has a metric that is asked for.</exception>
    public async Task<EvaluateOutcome> Run(CancellationToken cancellation)
    {
        using var opened = Open();
        using var folder = OwnFolder.Create(Path.GetTempPath());
        using var scorer = Scorer.Open(request.Evaluate, request.Objective ?? new([], true, [], 0), request.Plugins,
            new(request.EvaluatePath, folder.Path));
        // As many are on the disk as are scored: each may be large.
        using var turn = new SemaphoreSlim(scorer.Workers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<ScoredModel>[] running = [.. opened.Plans.Index().Select(p => Score(p.Index, p.Item, scorer, folder.Path, turn, stop.Token))];
        try
        {
            ScoredModel[] models = await Task.WhenAll(running);
            if (models.All(m => m.Score.LacksMetric))
                throw NoMetric(models[0]);
            return new(models, [.. Comparisons(models, scorer.Objective)]);
        }
        finally
        {
            // The checkpoints are closed soon: nobody may be reading them any more.
            await stop.CancelAsync();
            await Task.WhenAll(running).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private async Task<ScoredModel> Score(
        int number, PlannedScore model, Scorer scorer, string folder, SemaphoreSlim turn, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            await Task.Yield();
            var score = await Score(model.Plan, $"model-{number:000}", scorer, folder, cancellation);
            var scored = new ScoredModel(model.Name, model.Path, score,
                score.Status is ScoreStatus.Ok or ScoreStatus.Infeasible || score.Log is not { } log ? [] : LastLines(log));
            request.Scored(scored);
            return scored;
        }
        finally
        {
            turn.Release();
        }
    }

    // Of the last attempt: the others printed much the same.
    private static string[] LastLines(string log)
    {
        var lines = File.ReadAllLines(log);
        return [.. lines[(Array.FindLastIndex(lines, l => l.StartsWith(TrialLog.Attempt, StringComparison.Ordinal)) + 1)..].TakeLast(LinesShown)];
    }

    private async Task<TrialScore> Score(MergePlan plan, string label, Scorer scorer, string folder, CancellationToken cancellation)
    {
        var adapter = plan.Adapter?.Adapters[0];
        var checkpoint = adapter?.Checkpoint ?? plan.Models[0];
        using var place = scorer.NeedsFolder
            ? CandidatePlace.Open(plan, request.Evaluate.Candidates, needsFolder: true, folder, request.EvaluatePath, wanted: 1)
            : null;
        if (place is null || adapter is not null || (checkpoint.Folder is not null && !ModelScorer.HasAdapters(checkpoint)))
        {
            var own = adapter is null ? checkpoint.Folder : Directory.Exists(adapter.Path) ? adapter.Path : null;
            return await new ModelScorer(scorer, place is null ? null : new(place, 1)).Score(checkpoint, own, label, request.Split, cancellation);
        }
        using var candidate = place.Create(ModelScorer.IdOf(checkpoint), new Dictionary<string, double>(), label);
        using var merge = new GenerationMerge(plan, request.Settings);
        if (merge.Run([new(t => t.Options!, candidate.Sink!)], cancellation)[0].Fault is { } fault)
            throw fault;
        return await scorer.Score(candidate, request.Split, cancellation);
    }

    private IEnumerable<ModelComparison> Comparisons(ScoredModel[] models, Objective objective)
    {
        var first = models[0].Score;
        foreach (var (index, model) in models.Index().Skip(1))
        {
            IEnumerable<(string?, IReadOnlyList<double>?, IReadOnlyList<double>?)> pairs = request.Objective is not null
                ? [(null, objective.Examples(model.Score.Examples), objective.Examples(first.Examples))]
                : first.Examples.OrderBy(e => e.Key, StringComparer.Ordinal)
                    .Select(e => ((string?)e.Key, model.Score.Examples.GetValueOrDefault(e.Key), (IReadOnlyList<double>?)e.Value));
            foreach (var (metric, own, others) in pairs)
            {
                if (own is { Count: > 0 } && own.Count == others?.Count && own.Concat(others).All(double.IsFinite))
                    yield return new(index, metric, PairedBootstrap.Compare(own, others));
            }
        }
    }

    /// <summary>Opens all models, or tells what is wrong with any of them.</summary>
    private OpenedPlans Open()
    {
        var opened = new OpenedPlans();
        var problems = new List<Diagnostic>();
        var isWrong = true;
        try
        {
            foreach (var model in ResolvedRecipe.Of(request.Models, ModelPlaces.Of(request.Models.Path, request.ModelDirs)).Models)
            {
                try
                {
                    opened.Add(model, request.Models, new(request.Plugins, request.ModelDirs));
                }
                catch (MergeException fault)
                {
                    problems.AddRange(fault.Diagnostics);
                    isWrong &= fault.WrongUsage;
                }
            }
            if (problems.Count == 0)
                return opened;
            throw new MergeException(problems) { WrongUsage = isWrong };
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static MergeException NoMetric(ScoredModel model) => new(new Diagnostic(model.Score.Error!)
    {
        Fix = "Give a metric that it has, or leave --maximize and --minimize out to see all of them.",
    })
    { WrongUsage = true };

    private sealed record PlannedScore(string Name, string Path, MergePlan Plan);

    /// <summary>A plan for each model, all open.</summary>
    private sealed class OpenedPlans : IDisposable
    {
        private readonly List<PlannedScore> _plans = [];
        private readonly List<RecipePlanner> _planners = [];

        public IReadOnlyList<PlannedScore> Plans => _plans;

        public void Add(ResolvedModel model, Recipe recipe, RecipePlanner planner)
        {
            _planners.Add(planner);
            var plan = planner.Plan(recipe with { Models = [model.Model] }, PlanRequest.DefaultMaxShardBytes);
            _plans.Add(new(model.Model.Model.Text, model.OwnPath, plan));
        }

        public void Dispose() => _planners.ForEach(p => p.Dispose());
    }
}

using System.Diagnostics;
using System.Threading.Channels;
using Merge.Checkpoints;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>
/// Has candidates scored by the recipe's evaluator: as many at once as there are workers, each attempt within its time,
/// a failed one repeated, what is known not asked again.
/// </summary>
internal sealed class Scorer : IDisposable
{
    // An evaluator that is told to stop gets this long before nobody waits for it any more.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    // Less free space than this beside a failure is its likely reason; on a small disk, that share of it.
    private const long FullDisk = 4 << 20;
    private const double FullShare = 0.01;

    // As C, Python and Rust programs say it.
    private static readonly string[] FullDiskWords = ["No space left on device", "Disk quota exceeded"];

    private readonly EvaluateRecipe _recipe;
    private readonly ScoringPlace _place;
    private readonly ITrialRunner _runner;
    private readonly ScoreCache _cache;
    private readonly Channel<int> _workers;

    private Scorer(EvaluateRecipe recipe, Objective objective, ScoringPlace place, ITrialRunner runner, ScoreCache cache, int workers)
    {
        (_recipe, Objective, _place, _runner, _cache) = (recipe, objective, place, runner, cache);
        Workers = workers;
        _workers = Channel.CreateBounded<int>(workers);
        for (var worker = 0; worker < workers; worker++)
            _workers.Writer.TryWrite(worker);
    }

    public Objective Objective { get; }

    /// <summary>How many candidates are scored at once.</summary>
    public int Workers { get; }

    /// <summary>Whether candidates must be folders: see <see cref="CandidatePlace.Open"/>.</summary>
    public bool NeedsFolder => _recipe.Kind is not EvaluatorKind.Plugin;

    /// <summary>Opens the evaluator; programs are looked for and started only when they are needed.</summary>
    /// <exception cref="MergeException">There is no such program or plugin, or its options are wrong.</exception>
    public static Scorer Open(EvaluateRecipe evaluate, ObjectiveRecipe objective, PluginCatalog catalog, ScoringPlace place)
    {
        var onlyMetric = objective.Terms is [var only] ? only.Metric : null;
        return Open(evaluate, objective, place, evaluate.Kind switch
        {
            EvaluatorKind.Command => new CommandEvaluator(new(evaluate, place), onlyMetric),
            EvaluatorKind.Worker => new WorkerEvaluator(new(evaluate, place), WorkersOf(evaluate), onlyMetric),
            _ => new PluginEvaluator(evaluate, catalog, place.RecipePath),
        });
    }

    /// <summary>Scores by a runner that is there already, and is disposed with this.</summary>
    public static Scorer Open(EvaluateRecipe evaluate, ObjectiveRecipe objective, ScoringPlace place, ITrialRunner runner)
    {
        try
        {
            return new(evaluate, new(objective), place, runner, ScoreCache.Open(place.Cache), WorkersOf(evaluate));
        }
        catch
        {
            runner.Dispose();
            throw;
        }
    }

    /// <summary>The score of a candidate that has been scored before: it need not be made.</summary>
    /// <param name="id">See <see cref="Candidate.Id"/>.</param>
    // What the objective did not take may be another time: the evaluator may have been repaired since.
    public TrialScore? Known(string id, string split) => _cache.Find(Key(id, split)) is { } known
        && Objective.Of(known.Evaluation, known.Seconds) is { Status: ScoreStatus.Ok or ScoreStatus.Infeasible } score
        ? score with { Attempts = 0 } : null;

    /// <summary>Scores a candidate, waiting for a worker; from the cache where it can.</summary>
    /// <exception cref="MergeException">No candidate can be scored: the disk is full, the program cannot be
    /// started.</exception>
    /// <exception cref="OperationCanceledException">The search stops.</exception>
    public async Task<TrialScore> Score(StoredCandidate candidate, string split, CancellationToken cancellation)
    {
        if (Known(candidate.Id, split) is { } known)
            return known;
        return await Measure(candidate, split, cancellation).ConfigureAwait(false);
    }

    /// <summary>Scores a candidate whatever is known of it: to see how much an evaluator's answers differ. Keeps the
    /// first score only.</summary>
    /// <inheritdoc cref="Score"/>
    public async Task<TrialScore> Measure(StoredCandidate candidate, string split, CancellationToken cancellation)
    {
        if (NeedsFolder && candidate.Folder is null)
        {
            throw new MergeException(new Diagnostic($"'{candidate.Label}' is a single file, and the evaluator needs a model folder")
            {
                Fix = "Name the folder it is in.",
            })
            { WrongUsage = true };
        }
        var worker = await _workers.Reader.ReadAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Try(candidate, split, worker, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _workers.Writer.TryWrite(worker);
        }
    }

    public void Dispose()
    {
        _runner.Dispose();
        _cache.Dispose();
    }

    private async Task<TrialScore> Try(StoredCandidate candidate, string split, int worker, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var log = new TrialLog();
        for (var attempt = 1; ; attempt++)
        {
            log.BeginAttempt(attempt);
            var score = await Attempt(candidate, split, worker, log, clock, cancellation).ConfigureAwait(false);
            var hasFailed = score.Status is ScoreStatus.Failed or ScoreStatus.TimedOut;
            if (hasFailed && score.Metrics.Count == 0)
            {
                CheckDisks(candidate, score, log);
                if (attempt <= _recipe.Retries)
                    continue;
            }
            return score with
            {
                Attempts = attempt,
                Log = log.Write(_place.Logs, candidate.Label, split, score.Status is not ScoreStatus.Ok),
            };
        }
    }

    private async Task<TrialScore> Attempt(StoredCandidate candidate, string split, int worker, TrialLog log,
        Stopwatch clock, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (_recipe.Timeout is { } timeout)
            limit.CancelAfter(timeout);
        try
        {
            var evaluation = await Run(candidate, split, worker, log, limit.Token).ConfigureAwait(false);
            var seconds = clock.Elapsed.TotalSeconds;
            _cache.Add(Key(candidate.Id, split), candidate.Label, split, new(evaluation, seconds));
            return Objective.Of(evaluation, seconds);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return TrialScore.Without(ScoreStatus.TimedOut,
                $"no score within {_recipe.Timeout!.Value.TotalSeconds:0.###} s", clock.Elapsed.TotalSeconds);
        }
        catch (EvaluationEnded ended)
        {
            if (ended.InnerException is MergeException { WrongUsage: true } stop)
                throw stop;
            return TrialScore.Without(ScoreStatus.Failed, ended.InnerException!.Message, clock.Elapsed.TotalSeconds) with
            {
                Actor = (ended.InnerException as MergeException)?.Diagnostics[0].Actor ?? Actor.User,
            };
        }
    }

    /// <summary>One attempt on a thread of its own; the candidate stays until it has really ended.</summary>
    private async Task<Evaluation> Run(StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken limit)
    {
        candidate.Hold();
        var run = Task.Run(async () =>
        {
            try
            {
                return await _runner.Run(candidate, split, worker, log, limit).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !limit.IsCancellationRequested)
            {
                throw new EvaluationEnded(fault);
            }
            finally
            {
                candidate.Release();
            }
        }, CancellationToken.None);
        try
        {
            return await run.WaitAsync(limit).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAny(run, Task.Delay(Grace, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A full disk fails every trial from now on: the search should stop, not the trial.</summary>
    private void CheckDisks(StoredCandidate candidate, TrialScore score, TrialLog log)
    {
        foreach (var folder in new[] { candidate.Folder, _place.Folder, Path.GetTempPath() }.OfType<string>())
        {
            if (_place.Media.Free(folder) is { } free && free < Math.Min(FullDisk, FullShare * (_place.Media.Size(folder) ?? long.MaxValue)))
                throw Full($"the evaluator failed, and the disk is full ({DiskSpace.Text(free)} free): {score.Error}", folder);
        }
        // A disk that this process does not know of: a cache elsewhere, another machine's.
        if (new[] { score.Error, log.Errors.LastLine() }.FirstOrDefault(said => said is not null && FullDiskWords.Any(said.Contains)) is { } why)
            throw Full($"the evaluator failed because a disk is full: {why}", null);

        static MergeException Full(string found, string? where) => new(new Diagnostic(found)
        {
            Where = where,
            Fix = "Free space, then go on with the search; the trial is not counted.",
        });
    }

    private static int WorkersOf(EvaluateRecipe recipe) =>
        recipe.Workers ?? (recipe.Kind is EvaluatorKind.Plugin ? Environment.ProcessorCount : 1);

    private string Key(string id, string split) => ScoreCache.Key(id, _runner.Identity, split);

    /// <summary>What an attempt ended with, told apart from what the host's own files throw.</summary>
    private sealed class EvaluationEnded(Exception fault) : Exception(fault.Message, fault);
}

using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>Programs that are started once, at the first candidate each gets, and again after they failed.</summary>
/// <param name="onlyMetric">See <see cref="EvaluatorReply.Read"/>.</param>
internal sealed class WorkerEvaluator(EvaluatorProgram program, int workers, string? onlyMetric) : ITrialRunner
{
    private readonly WorkerProcess?[] _workers = new WorkerProcess?[workers];

    public string Identity => program.Identity;

    public async Task<Evaluation> Run(
        StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var process = _workers[worker] ??= new(program, worker, log);
        try
        {
            return await process.Ask(candidate, split, log, onlyMetric, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not EvaluationFailed)
        {
            _workers[worker] = null;
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Parallel.ForEach(_workers.OfType<WorkerProcess>(), worker => worker.Dispose());
        Array.Clear(_workers);
        program.Dispose();
    }
}

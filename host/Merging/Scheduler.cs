using System.Runtime.ExceptionServices;
using Merge.Compute;

namespace Merge.Merging;

/// <summary>
/// Worker threads over jobs. A worker takes a part of the earliest job that has one, else starts the next job; whoever
/// finishes the last part of a phase moves its job on. No thread waits for one tensor as long as there is another, and
/// memory for it.
/// </summary>
/// <param name="threads">How many workers.</param>
/// <param name="stop">Stops the work between two parts; set by the first fault, too.</param>
/// <param name="room">Bytes that the jobs in hand may hold together; only the earliest one may go beyond.</param>
/// <param name="memory">Where workers have their buffers; null: anywhere.</param>
internal sealed class Scheduler(
    int threads, CancellationTokenSource stop, long room = long.MaxValue, IHostMemory? memory = null)
{
    /// <summary>Guards everything below and is pulsed whenever there may be something new to take.</summary>
    private readonly object _gate = new();
    private readonly ManagedHeap _heap = new(room);
    private readonly List<Running> _running = [];
    private IEnumerator<IJob>? _jobs;
    private ExceptionDispatchInfo? _fault;

    /// <summary>Runs all jobs; returns when they are done, throws what any of them threw first.</summary>
    /// <param name="jobs">In the order they are started; enumerated as workers become free, one at a time.</param>
    public void Run(IEnumerable<IJob> jobs)
    {
        _jobs = jobs.GetEnumerator();
        using var wake = stop.Token.Register(Pulse);
        var workers = Enumerable.Range(0, threads)
            .Select(i => new Thread(Work) { Name = $"merge worker {i}", IsBackground = true })
            .ToArray();
        foreach (var worker in workers)
            worker.Start();
        foreach (var worker in workers)
            worker.Join();
        _fault?.Throw();
        stop.Token.ThrowIfCancellationRequested();
    }

    private void Work()
    {
        try
        {
            using var worker = new Worker(memory);
            while (Take() is { } step)
            {
                if (step.Phase is null)
                    Advance(step.Job);
                else
                    RunPart(step, worker);
                _heap.Keep();
            }
        }
        catch (Exception fault)
        {
            lock (_gate)
                _fault ??= ExceptionDispatchInfo.Capture(fault);
            stop.Cancel();
        }
    }

    /// <summary>The next thing to do: a part of a phase, or (phase null) a job to start; null when all is done.</summary>
    private Step? Take()
    {
        lock (_gate)
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var job in _running)
                {
                    if (job.Phase is { } phase && Admits(job, phase) && phase.TryTake(out var part))
                        return new Step(job, phase, part);
                }
                // More jobs would not find the memory that one waits for.
                if (_jobs is not null && !_running.Any(j => j.Waits))
                {
                    if (_jobs.MoveNext())
                    {
                        var started = new Running(_jobs.Current);
                        _running.Add(started);
                        return new Step(started, null, 0);
                    }
                    _jobs.Dispose();
                    _jobs = null;
                }
                if (_running.Count == 0)
                    return null;
                Monitor.Wait(_gate);
            }
            return null;
        }
    }

    /// <summary>Whether a job may hold what its phase needs; what it held it goes on holding until it is done.</summary>
    private bool Admits(Running job, Phase phase)
    {
        if (job.Admitted == phase)
            return true;
        var left = room - _running.Where(j => j != job).Sum(j => j.Holds + j.Granted) - job.Granted;
        var needs = Math.Max(phase.HeldBytes, job.Holds);
        job.Waits = job != _running[0] && needs > job.Holds && needs > left;
        if (job.Waits)
            return false;
        (job.Admitted, job.Holds) = (phase, needs);
        if (phase.WishedBytes is > 0 and var wish && wish <= left - needs)
        {
            phase.GrantWish();
            job.Granted += wish;
        }
        return true;
    }

    private void RunPart(Step step, Worker worker)
    {
        step.Phase!.Run(step.Part, worker);
        bool last;
        lock (_gate)
            last = step.Phase.MarkFinished();
        if (!last)
            return;
        step.Phase.Finish();
        Advance(step.Job);
    }

    private void Advance(Running running)
    {
        var next = running.Job.Next();
        lock (_gate)
        {
            running.Phase = next;
            if (next is null)
                _running.Remove(running);
            Monitor.PulseAll(_gate);
        }
    }

    private void Pulse()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private sealed class Running(IJob job)
    {
        public IJob Job { get; } = job;

        /// <summary>Null while the job is being moved on.</summary>
        public Phase? Phase { get; set; }

        /// <summary>The phase whose memory it has.</summary>
        public Phase? Admitted { get; set; }

        public long Holds { get; set; }

        /// <summary>What it holds beside, because it wished for it.</summary>
        public long Granted { get; set; }

        /// <summary>Whether its phase needs more memory than there is.</summary>
        public bool Waits { get; set; }
    }

    private sealed record Step(Running Job, Phase? Phase, int Part);
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Surveys of one model: statistics of all tensors, one pass over the model for each await. Those of several candidates
/// advance together; where that takes more memory than there is, one half of them after the other.
/// </summary>
internal sealed class SurveyJob(RunContext context, MergePlan plan, IReadOnlyList<Survey> surveys) : IJob
{
    private readonly Dictionary<TensorScan, (TensorPlan Plan, ScanOf Scan)> _tensors = plan.Tensors
        .Where(t => !t.IsCopied && t.Info.Count > 0)
        .OrderBy(t => t.Info.Name, StringComparer.Ordinal)
        .Select(t => (Plan: t, Scan: new ScanOf(context, t)))
        .ToDictionary(t => t.Scan.Tensor);

    private readonly Stack<IReadOnlyList<Survey>> _waiting = new([surveys]);
    private readonly Queue<SweepPhase> _round = new();
    private List<(Survey Survey, ModelScan Model, Task<object?> Task)> _running = [];
    private ModelStatistics? _statistics;

    private MergeStrategy Strategy => plan.Strategy;

    public Phase? Next()
    {
        while (true)
        {
            if (_round.TryDequeue(out var phase))
                return phase;
            if (_statistics?.Next() is { } round)
            {
                Enqueue(round);
                continue;
            }
            _statistics?.Complete();
            _statistics = null;
            _running.RemoveAll(HasEnded);
            if (_running.Count > 0 && TakePending() is { } pending)
            {
                _statistics = pending;
                continue;
            }
            foreach (var (survey, _, _) in _running)
                survey.Fault = StrategyCall.AwaitedSomethingElse(Strategy, "survey");
            if (!_waiting.TryPop(out var next))
                return null;
            _running = [.. next.Select(Begin).OfType<(Survey, ModelScan, Task<object?>)>()];
        }
    }

    private void Enqueue(IReadOnlyList<(TensorScan Scan, TensorSweep Sweep)> round)
    {
        if (_running.Count > 1 && round.Any(r => !SweepPhase.HasRoom(context, _tensors[r.Scan].Plan, r.Sweep)))
        {
            Survey[] all = [.. _running.Select(r => r.Survey)];
            _waiting.Push(all[(all.Length / 2)..]);
            _waiting.Push(all[..(all.Length / 2)]);
            (_running, _statistics) = ([], null);
            return;
        }
        foreach (var (scan, sweep) in round)
            _round.Enqueue(new SweepPhase(context, _tensors[scan].Plan, sweep));
    }

    private (Survey, ModelScan, Task<object?>)? Begin(Survey survey)
    {
        try
        {
            var model = Strategy.CreateModelScan([.. _tensors.Select(t => (t.Key, survey.Options(t.Value.Plan)))]);
            return (survey, model, StrategyCall.Run(Strategy, "survey", () => Strategy.SurveyModel(model).AsTask()));
        }
        catch (MergeException fault)
        {
            survey.Fault = fault;
            return null;
        }
    }

    private bool HasEnded((Survey Survey, ModelScan Model, Task<object?> Task) running)
    {
        if (!running.Task.IsCompleted)
            return false;
        try
        {
            StrategyCall.Rethrow(Strategy, "survey", running.Task);
            running.Survey.Result = running.Task.Result;
        }
        catch (MergeException fault)
        {
            running.Survey.Fault = fault;
        }
        return true;
    }

    private ModelStatistics? TakePending()
    {
        if (_running.All(r => r.Model.Pending.Count == 0) && _tensors.Keys.All(t => t.Pending.Count == 0))
            return null;
        if (_tensors.Keys.FirstOrDefault(t => t.Pending.OfType<SideMatrixRequest>().Any()) is { } asked)
        {
            throw MergeException.Plugin(
                "a survey asks for a side matrix", where: asked.Info.Name, fix: "Ask for it in Plan: not every tensor's can be held.");
        }
        return new ModelStatistics(
            [.. _running.Select(r => r.Model)],
            context.Compiler,
            (scan, key) => _tensors[scan].Scan.InputType(key),
            context.Seed,
            (scan, key) => _tensors[scan].Scan.Substitute(key));
    }
}

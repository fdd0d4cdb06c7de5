using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Candidates with equal options for a tensor: one plan, and bytes that all of them get.</summary>
internal sealed class GenerationShare
{
    private readonly GenerationContext _context;
    private readonly TensorPlan _plan;
    private readonly int _tensor;
    private readonly object? _options;
    private readonly object? _survey;
    private readonly GenerationCandidate[] _candidates;
    private Task<TensorMerge>? _planning;

    private GenerationShare(
        GenerationContext context, TensorPlan plan, int tensor, object? options, object? survey,
        GenerationCandidate[] candidates)
    {
        (_context, _plan, _tensor) = (context, plan, tensor);
        (_options, _survey, _candidates) = (options, survey, candidates);
    }

    /// <summary>Whether none of its candidates goes on.</summary>
    public bool HasFailed => _candidates.All(c => c.HasFailed);

    public IEnumerable<GenerationCandidate> Candidates => _candidates.Where(c => !c.HasFailed);

    /// <summary>How the tensor is merged, after <see cref="Lower"/>.</summary>
    public Lowered Lowered { get; private set; }

    private MergeStrategy Strategy => _context.Plan.Strategy;

    /// <summary>All candidates of a generation, those with equal options together. A copied tensor has no options.</summary>
    public static List<GenerationShare> Of(GenerationContext context, TensorPlan plan, int tensor)
    {
        var left = context.Candidates.Where(c => !c.HasFailed);
        if (plan.IsCopied || plan.Info.Count == 0)
            return [new(context, plan, tensor, null, null, [.. left])];
        var withOptions = new List<(GenerationCandidate Candidate, object Options)>();
        foreach (var candidate in left)
        {
            try
            {
                withOptions.Add((candidate, candidate.Member.Options(plan)));
            }
            catch (MergeException fault)
            {
                candidate.Fail(tensor, fault);
            }
        }
        return
        [
            .. withOptions
                .GroupBy(c => (c.Options, Survey: c.Candidate.Survey?.Result), c => c.Candidate)
                .Select(g => new GenerationShare(context, plan, tensor, g.Key.Options, g.Key.Survey, [.. g])),
        ];
    }

    /// <summary>Calls the strategy, up to its first await.</summary>
    public void Ask(TensorScan scan) => Try(() => _planning = _plan.IsCopied
        ? Task.FromResult(TensorMerge.Copy(0))
        : StrategyCall.Run(
            Strategy, _plan.Info.Name, () => Strategy.PlanTensor(scan, _options!, _survey).AsTask()));

    /// <summary>To be called when nothing is pending any more.</summary>
    public void EndPlanning() => Try(() =>
    {
        if (!_planning!.IsCompleted)
            throw StrategyCall.AwaitedSomethingElse(Strategy, _plan.Info.Name);
        StrategyCall.Rethrow(Strategy, _plan.Info.Name, _planning);
    });

    public void Lower(TensorScan scan) => Try(() =>
    {
        var merge = _planning!.Result ?? throw StrategyCall.ReturnedNull(Strategy, _plan.Info.Name);
        Lowered = StrategyCall.Run(Strategy, _plan.Info.Name, () => Lowered.From(merge, _plan, scan));
    });

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        foreach (var candidate in Candidates)
        {
            try
            {
                candidate.Member.Output.Write(_plan.Info.Name, offset, bytes);
            }
            catch (Exception fault) when (fault is MergeException || FileProblem.Is(fault))
            {
                candidate.Fail(_tensor, fault);
            }
            _context.Progress.Wrote(bytes.Length);
        }
    }

    /// <summary>All parts are written.</summary>
    public void Finish(uint checksum)
    {
        foreach (var candidate in Candidates)
        {
            try
            {
                candidate.Member.Output.Finish(_plan, checksum);
            }
            catch (Exception fault) when (fault is MergeException || FileProblem.Is(fault))
            {
                candidate.Fail(_tensor, fault);
            }
        }
    }

    public void Find(Diagnostic finding)
    {
        foreach (var candidate in _candidates)
            candidate.Find(_tensor, finding);
    }

    public void Fail(Exception fault)
    {
        foreach (var candidate in _candidates)
            candidate.Fail(_tensor, fault);
    }

    private void Try(Action step)
    {
        if (HasFailed)
            return;
        try
        {
            step();
        }
        catch (MergeException fault)
        {
            Fail(fault);
        }
    }
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// One tensor of all candidates: ask the strategy for each; sweep for whatever any of them awaits; write what they say
/// in one pass. Where that takes more memory than there is, one half of the candidates after the other.
/// </summary>
internal sealed class GenerationJob : IJob
{
    private readonly GenerationContext _context;
    private readonly TensorPlan _plan;
    private readonly int _tensor;
    private readonly Stack<List<GenerationShare>> _waiting = [];
    private List<GenerationShare> _shares = [];
    private ScanOf? _scan;
    private TensorStatistics? _statistics;
    private GenerationPhase? _output;

    /// <param name="context">The generation.</param>
    /// <param name="plan">The tensor.</param>
    /// <param name="tensor">Its number in the plan.</param>
    public GenerationJob(GenerationContext context, TensorPlan plan, int tensor)
    {
        (_context, _plan, _tensor) = (context, plan, tensor);
        _waiting.Push(GenerationShare.Of(context, plan, tensor));
    }

    public Phase? Next()
    {
        while (true)
        {
            if (_output is not null)
            {
                _output.HandOver();
                _output = null;
                _scan = null;
            }
            if (_scan is null && !Begin())
            {
                _context.Progress.FinishedTensor();
                return null;
            }
            if (Sweep() is { } sweep)
                return sweep;
            if (_scan is not null && Write() is { } output)
                return _output = output;
        }
    }

    /// <summary>Asks the strategy how to merge the next candidates; false where none are left.</summary>
    private bool Begin()
    {
        if (!_waiting.TryPop(out var shares))
            return false;
        _scan = new ScanOf(_context, _plan);
        _statistics = null;
        _shares = [.. shares.Where(s => !s.HasFailed)];
        if (_plan.Info.Count == 0)
        {
            _shares.ForEach(s => s.Finish(0));
            _shares = [];
        }
        foreach (var share in _shares)
            share.Ask(_scan.Tensor);
        return true;
    }

    /// <summary>The next sweep that any candidate waits for; null once all have said how to merge, or must wait.</summary>
    private SweepPhase? Sweep()
    {
        while (_scan is not null)
        {
            if (_statistics?.Next() is { } sweep)
            {
                if (_shares.Count > 1 && !SweepPhase.HasRoom(_context, _scan.Swept, sweep, _scan.Work))
                {
                    Halve();
                    return null;
                }
                return new SweepPhase(_context, _scan.Swept, sweep, work: _scan.Work);
            }
            _statistics?.Complete();
            _statistics = _scan.TakePending();
            if (_statistics is not null)
                continue;
            foreach (var share in _shares)
                share.EndPlanning();
            return null;
        }
        return null;
    }

    private GenerationPhase? Write()
    {
        _shares.RemoveAll(s => s.HasFailed);
        foreach (var share in _shares)
            share.Lower(_scan!.Tensor);
        _shares.RemoveAll(s => s.HasFailed);
        if (_shares.Count == 0)
        {
            _scan = null;
            return null;
        }
        var output = new GenerationOutput(_context, _plan, _scan!, _shares);
        if (_shares.Count > 1 && !_context.HasRoom(output.WorkerBytes, 0))
        {
            Halve();
            return null;
        }
        return new GenerationPhase(_context, _plan, output);
    }

    // What half of the candidates wait for was computed in vain: rare, and only methods that hold whole tensors or
    // rows get here.
    private void Halve()
    {
        var half = _shares.Count / 2;
        _waiting.Push(_shares[half..]);
        _waiting.Push(_shares[..half]);
        _scan = null;
    }
}

using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>Counts evaluations that fail one after the other: behind many of them stands the evaluation, not the candidates.</summary>
/// <param name="most">How many are borne.</param>
internal sealed class Patience(int most)
{
    private int _inARow;

    public bool IsAtItsEnd => _inARow >= most;

    /// <summary>Counts a score; what came from the cache, or was not asked for, says nothing of the evaluation now.</summary>
    public void Count(TrialScore score)
    {
        if (!score.IsCached)
            _inARow = score.IsBroken ? _inARow + 1 : 0;
    }

    /// <summary>What to tell when it is at its end.</summary>
    /// <param name="last">The last failure.</param>
    public MergeException Stop(TrialScore last) => new(new Diagnostic(
        $"{_inARow} evaluations failed one after the other, the last one so: {last.Error ?? "no reason given"}")
    {
        Where = last.Log,
        Fix = "Repair the evaluation, then go on with --resume: those evaluations are tried again.",
    });
}

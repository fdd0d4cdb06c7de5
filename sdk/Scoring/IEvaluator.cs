namespace Merge.Sdk;

/// <summary>Scores candidates. Calls may come from several threads at once.</summary>
public interface IEvaluator : IDisposable
{
    /// <summary>Scores a candidate on a split of the evaluation data.</summary>
    /// <param name="candidate">Not to be kept after the call.</param>
    /// <param name="split">As the recipe names it; by default <c>selection</c> or <c>report</c>.</param>
    /// <param name="cancellation">Set when the trial's time is over or the search stops.</param>
    /// <exception cref="MergeException">The trial fails with this reason; the search goes on.</exception>
    Task<Evaluation> Evaluate(Candidate candidate, string split, CancellationToken cancellation);
}

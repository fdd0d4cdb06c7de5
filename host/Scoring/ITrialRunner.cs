using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>One way to have a candidate scored; called from several threads, each with a worker of its own.</summary>
internal interface ITrialRunner : IDisposable
{
    /// <summary>Equal where the same candidate gets the same metrics, as far as can be told.</summary>
    string Identity { get; }

    /// <summary>One attempt.</summary>
    /// <param name="candidate">Of a program: has a folder.</param>
    /// <param name="split">As the recipe names it.</param>
    /// <param name="worker">From 0; of equal numbers one runs at a time.</param>
    /// <param name="log">Takes what is printed.</param>
    /// <param name="cancellation">Its time is over, or the search stops.</param>
    /// <exception cref="MergeException">The attempt failed; of wrong usage where all others would, too.</exception>
    Task<Evaluation> Run(StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken cancellation);
}

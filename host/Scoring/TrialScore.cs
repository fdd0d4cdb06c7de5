using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>How the scoring of a candidate ended.</summary>
internal enum ScoreStatus
{
    /// <summary>It has an objective: it may win.</summary>
    Ok,
    /// <summary>It has metrics and breaks a constraint: it never wins.</summary>
    Infeasible,
    /// <summary>The evaluator failed, in every attempt, or did not give what the objective needs.</summary>
    Failed,
    /// <summary>The last attempt took longer than it may.</summary>
    TimedOut,
    /// <summary>A metric of the objective is NaN or infinite.</summary>
    NotANumber,
}

/// <summary>What is known of a candidate on a split.</summary>
/// <param name="Metrics">Every metric the evaluator gave; empty where it failed.</param>
/// <param name="Examples">Scores of single examples by metric; may be empty.</param>
/// <param name="Objective">Higher is better, whatever the recipe asks for; null unless <see cref="ScoreStatus.Ok"/>:
/// what a searcher is told.</param>
/// <param name="Seconds">All attempts together; of a score from the cache, when it was measured.</param>
internal sealed record TrialScore(
    ScoreStatus Status,
    IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Examples,
    double? Objective,
    double Seconds)
{
    /// <summary>Why it is not <see cref="ScoreStatus.Ok"/>, a sentence; else null.</summary>
    public string? Error { get; init; }

    /// <summary>Who must act, where it has an <see cref="Error"/>.</summary>
    public Actor Actor { get; init; }

    /// <summary>The file that keeps what the evaluator printed, where it printed anything; else null.</summary>
    public string? Log { get; init; }

    /// <summary>Attempts made; 0 where the score comes from the cache.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>Whether nobody was asked: from the cache, or there was nothing to ask.</summary>
    public bool IsCached => Attempts == 0;

    /// <summary>Whether the evaluation, not the candidate, is to blame: another attempt may succeed.</summary>
    public bool IsBroken => Status is ScoreStatus.Failed or ScoreStatus.TimedOut;

    /// <summary>Whether the evaluator answered, and not with what the objective names.</summary>
    public bool LacksMetric => Status is ScoreStatus.Failed && Metrics.Count > 0;

    /// <summary>A trial without metrics.</summary>
    public static TrialScore Without(ScoreStatus status, string error, double seconds) =>
        new(status, new Dictionary<string, double>(), new Dictionary<string, IReadOnlyList<double>>(), null, seconds)
        {
            Error = error,
        };
}

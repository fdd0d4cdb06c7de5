namespace Merge.Sdk;

/// <summary>What an evaluator found.</summary>
/// <param name="Metrics">Every metric by its name. A NaN makes the trial a failed one where the objective uses it.</param>
public sealed record Evaluation(IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>
    /// A metric's score of every example, in an order that is the same for every candidate: what a paired bootstrap
    /// resamples. Empty where there are none; a metric may be in here, in <see cref="Metrics"/>, or in both.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Examples { get; init; } =
        new Dictionary<string, IReadOnlyList<double>>();
}

using Merge.Scoring;
using Merge.Trust;

namespace Merge.Search;

/// <summary>A model's score.</summary>
/// <param name="Name">As it was asked for; of a trajectory's checkpoint the place it stands for.</param>
/// <param name="Path">Its full path.</param>
/// <param name="Score">What the evaluator said.</param>
/// <param name="Printed">Last lines of what an evaluator printed that gave no score.</param>
internal sealed record ScoredModel(string Name, string Path, TrialScore Score, IReadOnlyList<string> Printed);

/// <summary>A model against the first one, example by example.</summary>
/// <param name="Model">Its place among the models.</param>
/// <param name="Metric">The metric; null: the objective, of which more is better.</param>
internal sealed record ModelComparison(int Model, string? Metric, PairedDifference Difference);

/// <summary>What came of it.</summary>
/// <param name="Models">In the order they were given.</param>
/// <param name="Comparisons">Of those that have scores of the same examples as the first; may be empty.</param>
internal sealed record EvaluateOutcome(IReadOnlyList<ScoredModel> Models, IReadOnlyList<ModelComparison> Comparisons);

using Merge.Sdk;
using Merge.Trust;

namespace Merge.Reports;

/// <summary>Everything the report of a search or a soup shows. What is not known is left empty, and left out.</summary>
internal sealed record ReportData
{
    /// <summary>What was searched, for example the recipe's file name.</summary>
    public required string Title { get; init; }

    /// <summary>The recipe as its user wrote it.</summary>
    public required string Recipe { get; init; }

    /// <summary>The searcher or procedure, for example <c>lcsc</c> or <c>greedy soup</c>.</summary>
    public required string Searcher { get; init; }

    /// <summary>The search's seed; null where nothing is random.</summary>
    public ulong? Seed { get; init; }

    /// <summary>What is looked for, for example <c>maximize accuracy</c>.</summary>
    public required string Objective { get; init; }

    /// <summary>What the scores are, for axes and columns, for example <c>accuracy</c> or <c>−loss</c>; higher is better.</summary>
    public required string ScoreName { get; init; }

    /// <summary>Name of the split that chose.</summary>
    public string SelectionSplit { get; init; } = "selection";

    /// <summary>Name of the split that only reports; null where there is none.</summary>
    public string? ReportSplit { get; init; }

    /// <summary>Further facts for the head of the report, in order: plugin versions, base model, budget …</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];

    /// <summary>The models that are merged, in the order of the recipe.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What was searched, and what follows from that (its range is NaN); empty for a soup.</summary>
    public IReadOnlyList<SearchDimension> Dimensions { get; init; } = [];

    /// <summary>All trials in the order of their index.</summary>
    public IReadOnlyList<ReportTrial> Trials { get; init; } = [];

    /// <summary>The index of the trial that won; null where none did.</summary>
    public int? Best { get; init; }

    /// <summary>Single models on their own, in the order of the recipe.</summary>
    public IReadOnlyList<ModelScore> Ingredients { get; init; } = [];

    /// <summary>What else the result is measured against: uniform average, EMA …</summary>
    public IReadOnlyList<ModelScore> Baselines { get; init; } = [];

    /// <summary>What won.</summary>
    public ModelScore? Result { get; init; }

    /// <summary>The best trials of the selection split, scored again on the report split.</summary>
    public IReadOnlyList<RescoredTrial> Rescored { get; init; } = [];

    /// <summary>Paired bootstraps, most telling first.</summary>
    public IReadOnlyList<ReportComparison> Comparisons { get; init; } = [];

    /// <summary>The evaluator's own noise, where it was measured.</summary>
    public SignalNoise? Noise { get; init; }

    /// <summary>Inner products of the ingredients' task vectors.</summary>
    public TaskVectorGram? Gram { get; init; }

    /// <summary>The command that makes the winner again.</summary>
    public string? RebuildCommand { get; init; }

    /// <summary>What a reader should know before believing the rest.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>What became of a trial.</summary>
internal enum ReportStatus
{
    Ok,
    Failed,
    TimedOut,
    NotANumber,
}

/// <summary>One trial.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Generation">From 0.</param>
/// <param name="Point">A value for every dimension.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Objective">On the selection split, higher is better; null unless it is ok.</param>
/// <param name="Seconds">How long the evaluation took.</param>
internal sealed record ReportTrial(
    int Index, int Generation, IReadOnlyList<double> Point, ReportStatus Status, double? Objective, double Seconds)
{
    /// <summary>Everything the evaluator said.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }
}

/// <summary>A model's objective on both splits, higher is better; null where it is not known.</summary>
internal sealed record ModelScore(string Name, double? Selection, double? Report);

/// <summary>A trial's objective on the split it was chosen on and on the other; null where that failed.</summary>
internal sealed record RescoredTrial(int Index, double Selection, double? Report);

/// <summary>A candidate against an incumbent on the examples of a split.</summary>
/// <param name="Candidate">For example <c>the best merge</c>: begins a sentence.</param>
/// <param name="Incumbent">For example <c>the best ingredient</c>.</param>
/// <param name="Metric">The metric the examples are scored by.</param>
/// <param name="Split">Where.</param>
/// <param name="Difference">Candidate − incumbent, higher is better.</param>
internal sealed record ReportComparison(
    string Candidate, string Incumbent, string Metric, string Split, PairedDifference Difference);

/// <summary>Inner products of task vectors.</summary>
/// <param name="Names">One a row.</param>
/// <param name="Products">Entry (i, j) = Δ_i·Δ_j.</param>
/// <param name="HasBase">Whether Δ is the difference to the base: then angles between them mean something by themselves;
/// otherwise they are taken around the models' mean.</param>
internal sealed record TaskVectorGram(IReadOnlyList<string> Names, Matrix Products, bool HasBase);

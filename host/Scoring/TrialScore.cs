namespace Merge.Scoring;
internal enum TrialStatus { Ok, Failed, TimedOut, NotANumber }
internal sealed record TrialScore(TrialStatus Status, IReadOnlyDictionary<string, double> Metrics, IReadOnlyDictionary<string, IReadOnlyList<double>> Examples, double? Objective, double Seconds, string? Error, string? StderrPath);

namespace Merge.Testing;

/// <summary>What was checked does not conform: the message has all findings, so that any test framework shows them.</summary>
public sealed class ConformanceException : Exception
{
    internal ConformanceException(string subject, IReadOnlyList<ConformanceFinding> findings)
        : base($"{subject} does not conform:{string.Concat(findings.Select(f => $"{Environment.NewLine}  {f}"))}") =>
        Findings = findings;

    /// <summary>All of them, at least one.</summary>
    public IReadOnlyList<ConformanceFinding> Findings { get; }
}

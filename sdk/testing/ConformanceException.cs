namespace Merge.Testing;

/// <summary>What was checked does not conform: the message has all findings, so that any test framework shows them.</summary>
public sealed class ConformanceException : Exception
{
    internal ConformanceException(string subject, IReadOnlyList<ConformanceFinding> findings)
        : base($"{subject} does not conform:{string.Concat(Lines(findings))}", findings.FirstOrDefault(f => f.Cause is not null)?.Cause) =>
        Findings = findings;

    /// <summary>All of them, at least one; rules that were not checked are among them.</summary>
    public IReadOnlyList<ConformanceFinding> Findings { get; }

    // What is said of several rules is said once.
    private static IEnumerable<string> Lines(IReadOnlyList<ConformanceFinding> findings) => findings
        .GroupBy(f => (f.Found, f.LookAt))
        .Select(g => $"{Environment.NewLine}  {g.First().Text(string.Join(", ", g.Select(f => f.Rule)))}");
}

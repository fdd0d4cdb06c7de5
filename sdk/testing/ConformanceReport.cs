namespace Merge.Testing;

/// <summary>What was checked of a method.</summary>
/// <param name="Method">Its id.</param>
/// <param name="Held">The rules that were checked and hold; declared exceptions are not among them.</param>
/// <param name="Device">What the processor's bytes were compared with; null: nothing, and <paramref name="Findings"/> says why.</param>
/// <param name="Findings">What does not hold, or was not checked on this machine; empty where all is well.</param>
public sealed record ConformanceReport(
    string Method, IReadOnlyList<ConformanceRule> Held, string? Device, IReadOnlyList<ConformanceFinding> Findings)
{
    /// <summary>For the log of a test: a line of the rules that hold, one of the device, one a finding.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine,
        (string[])
        [
            $"'{Method}' holds to {string.Join(", ", Held)}",
            Device is null ? "on the processor; compared with no device" : $"on the processor, and with the same bytes on {Device}",
            .. Findings.Select(f => $"{f}"),
        ]);
}

namespace Merge.Testing;

/// <summary>A rule that does not hold, or could not be checked.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Found">What was seen: tensor, element, values.</param>
/// <param name="LookAt">Where the cause usually is.</param>
public sealed record ConformanceFinding(ConformanceRule Rule, string Found, string LookAt)
{
    /// <summary>The rule was not checked, for want of a device; no fault.</summary>
    public bool NotChecked { get; init; }

    /// <summary>One line.</summary>
    public override string ToString() => $"{Rule}: {Found}. Look at: {LookAt}";
}

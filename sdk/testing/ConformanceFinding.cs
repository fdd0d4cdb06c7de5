namespace Merge.Testing;

/// <summary>A rule that does not hold, or could not be checked.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Found">What was seen: tensor, element, values.</param>
/// <param name="LookAt">Where the cause usually is.</param>
public sealed record ConformanceFinding(ConformanceRule Rule, string Found, string LookAt)
{
    /// <summary>The rule was not checked: for want of a device, which is no fault, or because of another finding.</summary>
    public bool NotChecked { get; init; }

    /// <summary>What the method's code threw, with its stack; null where nothing was thrown.</summary>
    public Exception? Cause { get; init; }

    /// <summary>One line.</summary>
    public override string ToString() => Text($"{Rule}");

    internal string Text(string rules) => $"{rules}: {Found.TrimEnd('.')}. Look at: {LookAt}";
}

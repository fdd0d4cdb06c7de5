using Merge.Sdk;

namespace Merge.Samples.Digits.Evaluator;

/// <summary>Options of the evaluator.</summary>
public sealed record DigitsOptions
{
    /// <summary>Holds <c>optdigits.tra</c> and <c>optdigits.tes</c>; null: the copy beside the plugin.</summary>
    [Parameter("folder of the two data files; by default the copy that comes with the plugin")]
    public string? Data { get; init; }
}

using System.Collections.Concurrent;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What every job of one merge shares.</summary>
internal sealed class MergeContext : RunContext
{
    public required MergePlan Plan { get; init; }

    public required ITensorSink Output { get; init; }

    /// <summary>What a user should know of the result, found while it was made; several threads add.</summary>
    public ConcurrentQueue<Diagnostic> Findings { get; } = new();

    /// <summary>What the survey found; handed to every plan.</summary>
    public object? Survey { get; set; }
}

using Merge.Planning;

namespace Merge.Merging;

/// <summary>What every job of one generation shares.</summary>
internal sealed class GenerationContext : RunContext
{
    public required MergePlan Plan { get; init; }

    public required IReadOnlyList<GenerationCandidate> Candidates { get; init; }
}

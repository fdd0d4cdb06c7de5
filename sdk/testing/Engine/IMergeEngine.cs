using Merge.Sdk;

namespace Merge.Testing.Engine;

/// <summary>
/// Something that runs a strategy. All rules go through it, so that another back end is held to them by being passed
/// here, and to the first one by comparing the two.
/// </summary>
internal interface IMergeEngine
{
    /// <summary>The merged float32 values, by tensor name.</summary>
    IReadOnlyDictionary<string, float[]> Merge(MergeStrategy strategy, object options, TestModels models, EngineSettings settings);

    /// <summary>Bytes of managed memory that one worker thread allocated for the merge, the result not kept.</summary>
    long Allocated(MergeStrategy strategy, object options, TestModels models);
}

/// <summary>How a merge is run: none of it may change a bit.</summary>
internal sealed record EngineSettings
{
    public int Threads { get; init; } = 2;

    /// <summary>Bytes a worker handles at a time; null: as the host does it.</summary>
    public int? BlockBytes { get; init; }
}

using Merge.Merging;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>How the host is asked to run: none of it, the stored dtype excepted, may change a bit of the result.</summary>
/// <param name="Stored">What models and base are stored as.</param>
/// <param name="Written">What the output is written as; null: as stored.</param>
/// <param name="Run">Threads, block size, memory.</param>
internal sealed record EngineSettings(DType Stored, DType? Written, RunSettings Run)
{
    /// <summary>Stored as given, written as float32, so that the values can be compared.</summary>
    public static EngineSettings Of(DType stored = DType.F32, int threads = 2, int? blockBytes = null) => new(
        stored,
        DType.F32,
        new RunSettings { Threads = threads, BlockBytes = blockBytes ?? new RunSettings().BlockBytes });
}

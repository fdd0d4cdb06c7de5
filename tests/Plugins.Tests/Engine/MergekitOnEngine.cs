using Merge.Sdk;
using Plugins.Tests.Golden;

namespace Plugins.Tests.Engine;

public sealed class MergekitGoldenTestsOnEngine : MergekitGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class SphericalTestsOnEngine : SphericalTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 1));
}

public sealed class SelectiveTestsOnEngineInF16 : SelectiveTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F16, threads: 5, blockBytes: 64));
}

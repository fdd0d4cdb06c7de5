using Merge.Sdk;
using Plugins.Tests.Golden;

namespace Plugins.Tests.Engine;

public sealed class OtaGoldenTestsOnEngine : OtaGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class OtaGoldenTestsInSmallBlocks : OtaGoldenTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(threads: 5, blockBytes: 64));
}

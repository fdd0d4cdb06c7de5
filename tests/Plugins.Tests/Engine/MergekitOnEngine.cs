using Merge.Sdk;
using Plugins.Tests.Golden;

namespace Plugins.Tests.Engine;

public sealed class MergekitGoldenTestsOnEngine : MergekitGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

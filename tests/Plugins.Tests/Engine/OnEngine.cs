using Merge.Sdk;
using Plugins.Tests.Golden;

namespace Plugins.Tests.Engine;

// The same expectations as of the whole-array evaluator, each under several ways to run. Generated values are exact in
// F16 and F64, so that storing them so changes nothing.

public sealed class GoldenTestsOnEngine : GoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class GraftingTestsOnEngine : GraftingTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class GraftingTestsInSmallBlocks : GraftingTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(threads: 5, blockBytes: 64));
}

public sealed class ContractTestsOnEngine : ContractTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class ContractTestsOnOneThread : ContractTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F16, threads: 1, blockBytes: 64));
}

public sealed class ReferenceTestsOnEngine : ReferenceTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 1));
}

public sealed class ReferenceTestsOnEngineInF16 : ReferenceTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F16, threads: 5, blockBytes: 64));
}

public sealed class ReferenceTestsOnEngineInF64 : ReferenceTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F64, threads: 2, blockBytes: 4096));
}

public sealed class PropertyTestsOnEngine : PropertyTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 1));
}

public sealed class PropertyTestsOnEngineInF16 : PropertyTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F16, threads: 5, blockBytes: 64));
}

public sealed class TiesGoldenTestsOnEngine : TiesGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of());
}

public sealed class TiesReferenceTestsOnEngine : TiesReferenceTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 1));
}

public sealed class TiesReferenceTestsOnEngineInF16 : TiesReferenceTests
{
    private protected override IMergeRunner Runner { get; } =
        new MergeOnEngine(EngineSettings.Of(DType.F16, threads: 5, blockBytes: 64));
}

public sealed class TiesPropertyTestsOnEngine : TiesPropertyTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 1));
}

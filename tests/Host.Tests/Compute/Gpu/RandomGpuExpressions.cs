using FsCheck;
using FsCheck.Fluent;
using Merge.Compute;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>Random expressions over all operations: a device's bytes beside the interpreter's.</summary>
internal static class RandomGpuExpressions
{
    /// <param name="compiler">The device's.</param>
    /// <param name="count">How many expressions.</param>
    /// <param name="elements">Of the largest tensors.</param>
    /// <param name="along">Whether with operations along axes and the other leaves.</param>
    public static void Compare(GpuCompiler compiler, int count, int elements, bool along)
    {
        var property = Prop.ForAll(
            Gen.Choose(0, int.MaxValue - 10).ToArbitrary(), seed => CompareOne(compiler, seed, elements, along));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(20260101, 77), property);
    }

    private static void CompareOne(GpuCompiler compiler, int seed, int elements, bool along)
    {
        var random = new RandomExpressions((ulong)seed);
        var scan = Evaluate.Scan(2, random.Shape(elements));
        var block = new Block(scan);
        var roots = Enumerable.Range(0, 1 + random.Below(3))
            .Select(_ => (random.Value(block, scan.Info, 12, along).Node, random.Type())).ToArray();
        var types = Enumerable.Range(0, 3).Select(_ => random.Type()).ToArray();
        var inputs = types.Select((t, i) => Evaluate.Store(Evaluate.Values((int)scan.Info.Count, (ulong)(seed + i)), t)).ToArray();
        (DType, byte[]) Input(InputKey key) => (types[key.Model + 1], inputs[key.Model + 1]);

        var expected = Evaluate.Run(Evaluate.Interpreter, scan, Input, roots);
        var unit = Recording.Of(scan.Info, [.. roots.Select(r => r.Node)]).Unit;
        var actual = Evaluate.Run(compiler, scan, Input, roots, random.Ends(scan.Info.Count, unit));
        for (var k = 0; k < roots.Length; k++)
            Assert.True(expected[k].AsSpan().SequenceEqual(actual[k]), $"root {k} of seed {seed} differs");
    }
}

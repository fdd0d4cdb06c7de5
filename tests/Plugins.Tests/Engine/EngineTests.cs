using Merge.Merging;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests.Engine;

/// <summary>What the host promises of every strategy: the same bytes however it runs, those of the contract.</summary>
public sealed class EngineTests
{
    private static readonly DType[] _dtypes = [DType.F32, DType.BF16, DType.F16, DType.F64];

    public static TheoryData<string, DType> All()
    {
        var all = new TheoryData<string, DType>();
        foreach (var method in Workload.Methods)
        {
            foreach (var dtype in _dtypes)
                all.Add(method, dtype);
        }
        return all;
    }

    public static TheoryData<string> Methods() => [.. Workload.Methods.Except(Workload.OfMatrices)];

    [Theory]
    [MemberData(nameof(All))]
    public void Bits_do_not_depend_on_threads_or_blocks(string method, DType dtype) => SameBits(
        method,
        Workload.Inputs(method, dtype),
        new EngineSettings(dtype, null, new RunSettings { Threads = 1 }),
        [(1, 64), (2, 64), (5, 4096), (2, 100_003), (5, new RunSettings().BlockBytes)]);

    [Theory]
    [MemberData(nameof(Methods))]
    public void Bits_do_not_depend_on_threads_or_blocks_where_a_tensor_has_segments(string method) => SameBits(
        method,
        Workload.Inputs(method, DType.BF16, large: true),
        new EngineSettings(DType.BF16, DType.F32, new RunSettings { Threads = 1 }),
        [(2, 5_000), (5, 100_003)]);

    [Theory]
    [MemberData(nameof(All))]
    public void Result_is_that_of_the_contract_on_whole_arrays(string method, DType dtype)
    {
        var (strategy, options, _, sameBits) = Workload.Of(method);
        var inputs = Workload.Inputs(method, dtype);
        var expected = new MergeOnArrays().Merge(strategy, options, inputs);
        var merged = new MergeOnEngine(EngineSettings.Of(dtype, threads: 2, blockBytes: 4096))
            .Merge(strategy, options, inputs);
        Assert.Equal(expected.Keys.Order(), merged.Keys.Order());
        foreach (var (name, values) in expected)
        {
            if (sameBits)
                Assert.Equal(Bits(values), Bits(merged[name]));
            else
                Near.All(values, merged[name], 5e-6, name);
        }
    }

    private static IEnumerable<int> Bits(float[] values) => values.Select(BitConverter.SingleToInt32Bits);

    private static void SameBits(
        string method, MergeInputs inputs, EngineSettings first, (int Threads, int BlockBytes)[] others)
    {
        var (strategy, options, _, _) = Workload.Of(method);
        var expected = new MergeOnEngine(first).Bytes(strategy, options, inputs);
        foreach (var (threads, blockBytes) in others)
        {
            var settings = first with { Run = first.Run with { Threads = threads, BlockBytes = blockBytes } };
            var merged = new MergeOnEngine(settings).Bytes(strategy, options, inputs);
            foreach (var (name, bytes) in expected)
            {
                Assert.True(
                    bytes.AsSpan().SequenceEqual(merged[name]),
                    $"{name}: {threads} threads and blocks of {blockBytes} bytes give other bits");
            }
        }
    }
}

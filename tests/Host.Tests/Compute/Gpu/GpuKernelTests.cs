using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>Expressions on an OpenCL device.</summary>
public sealed class GpuKernelTests : IDisposable
{
    private readonly Lazy<GpuDevice> _device = new(() => new GpuDevice(OpenClDevice.All()[0].Open()));

    public void Dispose()
    {
        if (_device.IsValueCreated)
            _device.Value.Dispose();
    }

    private GpuCompiler Compiler => new(_device.Value, 0);

    [OpenClFact]
    public void Random_expressions_have_the_interpreters_bits() =>
        RandomGpuExpressions.Compare(Compiler, 12, 9000, along: false);

    [OpenClFact]
    public void Random_expressions_along_axes_have_the_interpreters_bits() =>
        RandomGpuExpressions.Compare(Compiler, 12, 3000, along: true);

    [OpenClFact]
    public void Sums_products_and_maxima_along_every_axis_have_the_interpreters_bits()
    {
        var scan = Evaluate.Scan(1, 5, 131, 9);
        var inputs = new[] { Evaluate.Finite(5 * 131 * 9, 1), Evaluate.Finite(5 * 131 * 9, 2) };
        TensorExpr All(Block b)
        {
            TensorExpr sum = 0f;
            for (var axis = 0; axis < 3; axis++)
                sum = (sum * 0.5f) + b.Base.SumAlong(axis) + (b.Base.DotAlong(b.Models[0], axis) * b.Models[0].MaxAlong(axis));
            return sum;
        }
        Assert.Equal(
            Evaluate.Value(Evaluate.Interpreter, scan, All, inputs), Evaluate.Value(Compiler, scan, All, inputs));
    }

    [OpenClFact]
    public void Softmax_over_rows_and_over_columns_has_the_interpreters_bits()
    {
        var scan = Evaluate.Scan(0, 70, 129);
        var input = Evaluate.Values(70 * 129, 1);
        TensorExpr Softmax(Block b, int axis)
        {
            var e = (b.Base - b.Base.MaxAlong(axis)).Exp();
            return e / e.SumAlong(axis);
        }
        TensorExpr Both(Block b) => Softmax(b, 1) - Softmax(b, 0);
        Assert.Equal(
            Evaluate.Value(Evaluate.Interpreter, scan, Both, input), Evaluate.Value(Compiler, scan, Both, input));
    }

    [OpenClFact]
    public void Vectors_matrices_and_low_rank_products_are_found_at_their_places()
    {
        var scan = Evaluate.Scan(0, 37, 1100);
        Matrix Filled(int rows, int columns, ulong seed) =>
            new(rows, columns, [.. Evaluate.Finite(rows * columns, seed).Select(v => (double)v)]);
        double[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(k => (k * 0.1) + 1)];
        var (b, a, view) = (Filled(37, 5, 1), Filled(5, 1100, 2), Filled(37, 1100, 3));
        var value = scan.Record(block => (block.LowRank(b, a) * block.View(view)) + (block.Base * block.Rows(Numbers(37)))
            - block.Columns(Numbers(1100)));
        var bytes = Evaluate.Store(Evaluate.Values(37 * 1100, 4), DType.F32);
        var expected = Evaluate.Run(Evaluate.Interpreter, scan, _ => (DType.F32, bytes), [(value, DType.F32)]);
        foreach (var cuts in new long[][] { [], [5, 1234, 20000], [4096, 4097] })
        {
            var actual = Evaluate.Run(Compiler, scan, _ => (DType.F32, bytes), [(value, DType.F32)], cuts);
            Assert.Equal(expected[0], actual[0]);
        }
    }

    [OpenClFact]
    public void Combinations_have_the_processors_bits()
    {
        var types = new[] { DType.BF16, DType.F32, DType.F16 };
        var combinations = new Combinations(
            types, DType.BF16, [new(1), new(0), new(0, 0), new(2, 0)],
            [new([0, 1], [0.25f, -2f]), new([2, 3], [0.3f, 0.7f], 0), new([3], [1.5f]), new([2, 3], [1f, 0.1f], 0)]);
        var inputs = types.Select((t, i) => Evaluate.Store(Evaluate.Values(10007, (ulong)i), t)).ToArray();
        Assert.Equal(
            Combine(new CpuCompiler().Combine(combinations), inputs, 4), Combine(Compiler.Combine(combinations), inputs, 4));
    }

    [OpenClFact]
    public void What_devices_have_no_kernel_for_runs_on_the_processor_and_is_named()
    {
        var scan = Evaluate.Scan(0, 10);
        var compiler = Compiler;
        var input = Evaluate.Finite(10, 1);
        var ranks = Evaluate.Value(compiler, scan, b => b.Base.RankAlong(), input);
        Assert.Equal(Evaluate.Value(Evaluate.Interpreter, scan, b => b.Base.RankAlong(), input), ranks);
        Assert.Equal([("ranks along an axis", 1)], compiler.OnProcessor);
        Assert.Equal(0, _device.Value.CompiledCount);
    }

    [OpenClFact]
    public void Tensors_merged_alike_share_one_program()
    {
        var compiler = Compiler;
        for (var i = 0; i < 3; i++)
        {
            var weight = (i + 2) * 0.25f;
            var scan = Evaluate.Scan(2, 100 + i);
            float[] ones = [.. Enumerable.Repeat(1f, 100 + i)];
            var values = Evaluate.Value(compiler, scan,
                b => (b.Models[0] * weight).Masked(b.Models[1].KeptBy(new Cut(1, 50 + i))), ones, ones, ones);
            Assert.Equal((50 + i) * weight, values.Sum());
        }
        Assert.Equal(1, _device.Value.CompiledCount);
    }

    private static unsafe byte[][] Combine(IKernel kernel, byte[][] inputs, int outputs)
    {
        const int count = 10007;
        var results = Enumerable.Range(0, outputs).Select(_ => new byte[2 * count]).ToArray();
        var pins = inputs.Concat(results)
            .Select(b => System.Runtime.InteropServices.GCHandle.Alloc(b, System.Runtime.InteropServices.GCHandleType.Pinned)).ToArray();
        nint[] addresses = [.. pins.Select(p => p.AddrOfPinnedObject())];
        using var workspace = new Workspace();
        kernel.Run(0, count, addresses.AsSpan(0, inputs.Length), addresses.AsSpan(inputs.Length), workspace);
        foreach (var pin in pins)
            pin.Free();
        return results;
    }
}

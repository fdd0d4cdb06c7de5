using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>Expressions as PTX: what a card would be given, run instruction by instruction.</summary>
public sealed class PtxKernelTests
{
    [Fact]
    public void Random_expressions_in_ptx_have_the_interpreters_bits()
    {
        using var device = new GpuDevice(new PtxDevice());
        RandomGpuExpressions.Compare(new GpuCompiler(device, 0), 150, 300, along: false);
    }

    [Fact]
    public void Packs_of_elements_in_ptx_have_the_interpreters_bits()
    {
        var context = new PtxDevice();
        using var device = new GpuDevice(context);
        RandomGpuExpressions.Compare(new GpuCompiler(device, 0), 25, 20000, along: false);
        Assert.Contains(context.Programs, p => p.Contains("ld.global.nc.v4.u32", StringComparison.Ordinal));
        Assert.Contains(context.Programs, p => p.Contains("st.global.v4.u32", StringComparison.Ordinal));
    }

    [Fact]
    public void Vectors_and_matrices_are_found_at_their_places()
    {
        using var device = new GpuDevice(new PtxDevice());
        var scan = Evaluate.Scan(0, 37, 110);
        var view = new Matrix(37, 110, [.. Evaluate.Finite(37 * 110, 3).Select(v => (double)v)]);
        double[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(k => (k * 0.1) + 1)];
        var value = scan.Record(b => (b.Rows(Numbers(37)) * b.Columns(Numbers(110))) + (b.View(view) * b.Base));
        var input = Evaluate.Store(Evaluate.Values(37 * 110, 4), DType.F32);
        var expected = Evaluate.Run(Evaluate.Interpreter, scan, _ => (DType.F32, input), [(value, DType.F32)]);
        var actual = Evaluate.Run(
            new GpuCompiler(device, 0), scan, _ => (DType.F32, input), [(value, DType.F32)], 5, 1234, 2000);
        Assert.Equal(expected[0], actual[0]);
    }

    [Fact]
    public void Many_parameters_are_read_where_they_are_used()
    {
        using var device = new GpuDevice(new PtxDevice());
        var scan = Evaluate.Scan(1, 10);
        TensorExpr Sum(Block b)
        {
            var sum = b.Base * 0.5f;
            for (var i = 0; i < 100; i++)
                sum += b.Models[0] * (i / 64f);
            return sum;
        }
        var inputs = new[] { Evaluate.Values(10, 1), Evaluate.Values(10, 2) };
        Assert.Equal(
            Evaluate.Value(Evaluate.Interpreter, scan, Sum, inputs),
            Evaluate.Value(new GpuCompiler(device, 0), scan, Sum, inputs));
    }
}

using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>Statistics whose values an OpenCL device evaluates, and reduces where it can.</summary>
public sealed class GpuStatisticsTests : IDisposable
{
    private readonly Lazy<GpuDevice> _device = new(() => new GpuDevice(OpenClDevice.All()[0].Open()));

    public void Dispose()
    {
        if (_device.IsValueCreated)
            _device.Value.Dispose();
    }

    [OpenClTheory]
    [InlineData(3000, 1001)]
    [InlineData(7, 5)]
    [InlineData(1, 300_001)]
    public void Every_statistic_has_the_processors_bits(int rows, int columns)
    {
        var inputs = Enumerable.Range(0, 3).Select(i => Tied(rows * columns, (ulong)i)).ToArray();
        Assert.Equal(All(null, rows, columns, inputs), All(new GpuCompiler(_device.Value, 0), rows, columns, inputs));
    }

    [OpenClFact]
    public void Blocks_that_begin_and_end_within_rows_are_reduced_alike()
    {
        const int rows = 1301, columns = 1999;
        var inputs = new[] { Evaluate.Finite(rows * columns, 1) };
        double[] All(GpuCompiler? compiler)
        {
            var scan = Evaluate.Scan(0, rows, columns);
            var sums = scan.ColumnSums(b => b.Base);
            var product = scan.Product(b => b.Base, Filled(columns, 3));
            var transposed = scan.TransposedProduct(b => b.Base, Filled(rows, 18));
            Sweeps.Complete(scan, inputs, 5, compiler);
            return [.. Sweeps.Value(sums), .. Sweeps.Value(product).Values, .. Sweeps.Value(transposed).Values];
        }
        Assert.Equal(All(null), All(new(_device.Value, 0)));
    }

    // Few to gather, then so many that they are counted; no sample of rows this long is taken.
    [OpenClTheory]
    [InlineData(30_001)]
    [InlineData(250_001)]
    public void Cuts_among_keys_of_one_bin_are_found_without_a_sample(int columns)
    {
        const int rows = 8;
        var inputs = new[]
        {
            Evaluate.Finite(rows * columns, 1)
                .Select(v => BitConverter.UInt32BitsToSingle(0x3f800000 + (BitConverter.SingleToUInt32Bits(v) % 5)))
                .ToArray(),
        };
        (Cut, Cut) All(GpuCompiler? compiler)
        {
            var scan = Evaluate.Scan(0, rows, columns);
            var large = scan.Largest(b => b.Base - (b.Base.MaxAlong(1) * 0f), rows * columns / 3);
            var small = scan.Largest(b => b.Base - (b.Base.MaxAlong(1) * 0f), rows * columns / 7);
            Sweeps.Complete(scan, inputs, 5, compiler);
            return (Sweeps.Value(large), Sweeps.Value(small));
        }
        var (first, second) = All(null);
        Assert.NotEqual(long.MaxValue, first.IndexLimit);
        Assert.Equal((first, second), All(new(_device.Value, 0)));
    }

    [OpenClFact]
    public void Sums_that_round_are_added_in_the_processors_order()
    {
        // Of so many sizes that no float64 holds a sum of them exactly.
        var inputs = Enumerable.Range(0, 3)
            .Select(i => Evaluate.Finite(300 * 1001, (ulong)i).Select((v, e) => MathF.ScaleB(v, (e * 7 % 61) - 40)).ToArray())
            .ToArray();
        Assert.Equal(All(null, 300, 1001, inputs), All(new GpuCompiler(_device.Value, 0), 300, 1001, inputs));
    }

    [OpenClFact]
    public void Nan_zeros_and_infinities_are_reduced_alike()
    {
        var inputs = Enumerable.Range(0, 3).Select(i => Evaluate.Values(90_000, (ulong)i)).ToArray();
        Assert.Equal(All(null, 300, 300, inputs), All(new GpuCompiler(_device.Value, 0), 300, 300, inputs));
    }

    [OpenClFact]
    public void What_the_processor_reduces_is_named()
    {
        var compiler = new GpuCompiler(_device.Value, 0);
        var scan = Evaluate.Scan(2, 10, 10);
        var inputs = Enumerable.Range(0, 3).Select(i => Evaluate.Finite(100, (ulong)i)).ToArray();
        scan.Sum(b => b.Base);
        Sweeps.Complete(scan, inputs, 1, compiler);
        Assert.Empty(compiler.OnProcessor);
        scan.Materialize(b => b.Base);
        Sweeps.Complete(scan, inputs, 1, compiler);
        Assert.Equal([("values taken as a matrix", 1)], compiler.OnProcessor);
    }

    /// <summary>Bits of everything that is asked of some blocks, cut at random.</summary>
    private static List<long> All(GpuCompiler? compiler, int rows, int columns, float[][] inputs)
    {
        var scan = Evaluate.Scan(2, rows, columns);
        long count = scan.Info.Count;
        var sum = scan.Sum(b => b.Base);
        var dot = scan.Dot(b => b.Deltas[0], b => b.Models[1]);
        var gram = scan.Gram(b => [b.Deltas[0], b.Deltas[1], b.Base]);
        var set = scan.Count(b => b.Models[0] > b.Base);
        var range = scan.Range(b => b.Deltas[1]);
        var rowSums = scan.RowSums(b => b.Base);
        var columnSums = scan.ColumnSums(b => b.Deltas[0]);
        var cut = scan.Largest(b => b.Deltas[0].Abs(), count / 5);
        var other = scan.Largest(b => b.Models[1], count / 2);
        var order = scan.OrderStatistics(b => b.Base, 0, count / 3, count - 1);
        var product = scan.Product(b => b.Base, Filled(columns, 3));
        var transposed = scan.TransposedProduct(b => b.Deltas[1], Filled(rows, 18));
        // More than a sample serves, so all keys are counted.
        var orders = scan.OrderStatistics(b => b.Deltas[1], [.. Enumerable.Range(0, 7).Select(i => count * i / 8)]);
        Sweeps.Complete(scan, inputs, 3, compiler);
        var all = new List<long>();
        void Add(params IEnumerable<double> values) =>
            all.AddRange(values.Select(v => BitConverter.DoubleToInt64Bits(double.IsNaN(v) ? double.NaN : v)));
        Add(Sweeps.Value(sum), Sweeps.Value(dot), Sweeps.Value(set), Sweeps.Value(range).Min, Sweeps.Value(range).Max);
        Add(Sweeps.Value(gram).Values);
        Add(Sweeps.Value(rowSums));
        Add(Sweeps.Value(columnSums));
        Add(Sweeps.Value(product).Values);
        Add(Sweeps.Value(transposed).Values);
        Add(Sweeps.Value(orders).Select(v => (double)v));
        Add(Sweeps.Value(order).Select(v => (double)v));
        foreach (var found in new[] { Sweeps.Value(cut), Sweeps.Value(other) })
        {
            Add(found.Value);
            all.Add(found.IndexLimit);
        }
        return all;
    }

    private static Matrix Filled(int rows, int columns) =>
        new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(i => Math.Sqrt(i + 1) - 7)]);

    // As differences of 16-bit checkpoints are: many are equal, many are zero.
    private static float[] Tied(int count, ulong seed) =>
        [.. Evaluate.Finite(count, seed).Select(v => MathF.Round(v * 300) / 512)];
}

using Merge.Compute;
using Merge.Sdk;
using static Host.Tests.Compute.Sweeps;

namespace Host.Tests.Compute;

public class StatisticsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(300_001)]
    [InlineData(5_000_003)]
    public void Sums_add_64_lanes_a_grain_and_grains_in_pairs(int count)
    {
        var inputs = new[] { Evaluate.Finite(count, 1), Evaluate.Finite(count, 2) };
        var scan = Evaluate.Scan(1, count);
        var sum = scan.Sum(b => b.Base);
        var dot = scan.Dot(b => b.Base, b => b.Models[0]);
        Complete(scan, inputs);
        Assert.Equal(Plain(inputs[0], null), Value(sum));
        Assert.Equal(Plain(inputs[0], inputs[1]), Value(dot));
    }

    [Theory]
    [InlineData(4099, 1021)]
    [InlineData(1021, 4099)]
    [InlineData(7, 600_011)]
    public void Sums_have_the_same_bits_whatever_else_is_asked_and_however_blocks_are_cut(int rows, int columns)
    {
        var inputs = new[] { Evaluate.Finite(rows * columns, 1), Evaluate.Finite(rows * columns, 2) };
        var seen = new HashSet<string>();
        for (var variant = 0; variant < 4; variant++)
        {
            var scan = Evaluate.Scan(1, rows, columns);
            if (variant == 1)
                scan.RowSums(b => b.Base);
            if (variant == 2)
                scan.Sum(b => b.Base.SumAlong(-1));
            if (variant == 3)
                scan.ColumnSums(b => b.Models[0]);
            var gram = scan.Gram(b => [b.Base, b.Models[0], b.Deltas[0]]);
            var sum = scan.Sum(b => b.Base);
            Complete(scan, inputs, (ulong)variant * 100);
            seen.Add(string.Join(' ', Value(gram).Row(0).ToArray().Concat(Value(gram).Row(2).ToArray())
                .Append(Value(sum)).Select(BitConverter.DoubleToInt64Bits)));
            Assert.Equal(Plain(inputs[0], inputs[1]), Value(gram)[1, 0]);
        }
        Assert.Single(seen);
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(1000, 37)]
    [InlineData(5, 500_000)]
    [InlineData(90_000, 30)]
    public void Row_and_column_sums_are_the_sums_and_do_not_depend_on_blocks(int rows, int columns)
    {
        var input = Evaluate.Finite(rows * columns, 3);
        var seen = new HashSet<string>();
        for (var variant = 0; variant < 2; variant++)
        {
            var scan = Evaluate.Scan(0, rows, columns);
            var row = scan.RowSums(b => b.Base);
            var column = scan.ColumnSums(b => b.Base);
            var matrix = scan.Materialize(b => b.Base * 2f);
            if (variant == 1)
                scan.Sum(b => b.Base.MaxAlong(0));
            Complete(scan, [input], (ulong)variant);
            for (var i = 0; i < rows; i++)
            {
                Assert.Equal(WholeArrays.InLanes([.. Enumerable.Range(0, columns).Select(j => (double)input[(i * columns) + j])]),
                    Value(row)[i]);
            }
            for (var j = 0; j < columns; j++)
            {
                var exact = Enumerable.Range(0, rows).Sum(i => (double)input[(i * columns) + j]);
                Assert.Equal(exact, Value(column)[j], 1e-10);
            }
            Assert.Equal(2 * input[^1], Value(matrix)[rows - 1, columns - 1]);
            Assert.Equal(input.Sum(v => 2d * v), Enumerable.Range(0, rows).Sum(i => Value(matrix).Row(i).ToArray().Sum()), 1e-6);
            seen.Add(string.Join(' ', Value(row).Concat(Value(column)).Select(BitConverter.DoubleToInt64Bits)));
        }
        Assert.Single(seen);
    }

    [Theory]
    [InlineData(1, 100, 3)]
    [InlineData(300, 37, 16)]
    [InlineData(7, 400_000, 1)]
    [InlineData(70_000, 30, 20)]
    public void Products_with_a_matrix_are_those_of_the_whole_and_do_not_depend_on_blocks(int rows, int columns, int width)
    {
        var input = Evaluate.Finite(rows * columns, 3);
        var (right, left) = (Numbers(columns, width), Numbers(rows, width));
        var seen = new HashSet<string>();
        for (var variant = 0; variant < 2; variant++)
        {
            var scan = Evaluate.Scan(0, rows, columns);
            var product = scan.Product(b => b.Base, right);
            var transposed = scan.TransposedProduct(b => b.Base, left);
            if (variant == 1)
                scan.Sum(b => b.Base.MaxAlong(0));
            Complete(scan, [input], (ulong)variant);
            foreach (var (i, j, k) in new[] { (0, 0, 0), (rows - 1, columns - 1, width - 1), (rows / 2, columns / 3, width / 2) })
            {
                Assert.Equal(Enumerable.Range(0, columns).Sum(c => input[(i * columns) + c] * right[c, k]), Value(product)[i, k], 1e-8);
                Assert.Equal(Enumerable.Range(0, rows).Sum(r => input[(r * columns) + j] * left[r, k]), Value(transposed)[j, k], 1e-8);
            }
            seen.Add(string.Join(' ', new[] { product, transposed }.SelectMany(m => Enumerable.Range(0, Value(m).Rows)
                .SelectMany(i => Value(m).Row(i).ToArray())).Select(BitConverter.DoubleToInt64Bits)));
        }
        Assert.Single(seen);

        static Matrix Numbers(int rows, int columns)
        {
            var matrix = new Matrix(rows, columns);
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                    matrix[i, j] = Math.Sin((i * columns) + j);
            }
            return matrix;
        }
    }

    [Fact]
    public void A_product_with_a_matrix_that_does_not_fit_is_the_authors_fault()
    {
        var scan = Evaluate.Scan(0, 5, 7);
        Assert.Contains("3×2", Assert.Throws<MergeException>(() => scan.Product(b => b.Base, new Matrix(3, 2))).Message);
        Assert.Contains("7×2", Assert.Throws<MergeException>(() => scan.TransposedProduct(b => b.Base, new Matrix(7, 2))).Message);
    }

    [Fact]
    public void Counts_and_ranges_are_exact_and_NaN_is_not_hidden()
    {
        var input = Evaluate.Finite(2_500_001, 5);
        var scan = Evaluate.Scan(0, input.Length);
        var count = scan.Count(b => b.Base > 0.25f);
        var range = scan.Range(b => b.Base);
        var poisoned = scan.Range(b => (b.Base - b.Base) / (b.Base - b.Base));
        Complete(scan, [input]);
        Assert.Equal(input.Count(v => v > 0.25f), Value(count));
        Assert.Equal(new ValueRange(input.Min(), input.Max()), Value(range));
        Assert.Equal(new ValueRange(float.NaN, float.NaN), Value(poisoned));
    }

    [Fact]
    public void Statistics_of_an_empty_tensor_are_those_of_nothing()
    {
        var scan = Evaluate.Scan(0, 0, 5);
        var sum = scan.Sum(b => b.Base);
        var range = scan.Range(b => b.Base);
        var columns = scan.ColumnSums(b => b.Base);
        var cut = scan.Largest(b => b.Base, 3);
        Complete(scan, [[]]);
        Assert.Equal(0, Value(sum));
        Assert.Equal(new ValueRange(float.PositiveInfinity, float.NegativeInfinity), Value(range));
        Assert.Equal(new double[5], Value(columns));
        Assert.Equal(Cut.KeepAll, Value(cut));
    }

    [Fact]
    public async Task Awaiting_goes_on_when_the_values_are_there()
    {
        var scan = Evaluate.Scan(1, 4);
        var inputs = new[] { new float[] { 1, 2, 3, 4 }, [2, 2, 2, 2] };
        async Task<double> Plan()
        {
            var (sum, dot) = (scan.Sum(b => b.Base), scan.Dot(b => b.Base, b => b.Models[0]));
            var first = await sum + await dot;
            return first * await scan.Count(b => b.Base > 2f);
        }
        var plan = Plan();
        Assert.Equal(2, scan.Pending.Count);
        Complete(scan, inputs);
        Assert.Single(scan.Pending);
        Complete(scan, inputs);
        Assert.Equal(60, await plan);
    }

    private static double Plain(float[] x, float[]? y)
    {
        var sums = x.Index().Chunk(SumReduction.Grain)
            .Select(g => WholeArrays.InLanes([.. g.Select(e => e.Item * (y is null ? 1d : y[e.Index]))])).ToList();
        for (; sums.Count > 1;)
            sums = [.. sums.Chunk(2).Select(p => p.Length == 2 ? p[0] + p[1] : p[0])];
        return sums[0];
    }
}

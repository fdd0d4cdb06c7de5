using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

public class KernelTests
{
    private static readonly int[] Widths = [.. new[] { LoopEmitter.WidestLanes, 16, 8, 4, 1 }.Distinct()];

    [Fact]
    public void Compiled_loops_of_every_width_have_the_interpreters_bits_however_the_tensor_is_cut() =>
        ForRandomSeeds(200, seed => Compare(seed, 10000, 12, along: false));

    [Fact]
    public void Operations_along_axes_have_the_same_bits_however_the_tensor_is_cut() =>
        ForRandomSeeds(150, seed => Compare(seed, 10000, 10, along: true));

    [Fact]
    public void Kernels_agree_with_plain_evaluation_of_whole_arrays() => ForRandomSeeds(300, seed =>
    {
        var random = new RandomExpressions((ulong)seed);
        var scan = Evaluate.Scan(2, random.Shape(600));
        var value = random.Value(new Block(scan), scan.Info, 14, along: true).Node;
        var inputs = Enumerable.Range(0, 3).Select(i => Evaluate.Values((int)scan.Info.Count, (ulong)(seed + i))).ToArray();
        var expected = new WholeArrays(scan.Info, key => inputs[key.Model + 1]).Of(value);
        var actual = MemoryMarshal.Cast<byte, float>(Evaluate.Run(
            Evaluate.Compiler(Widths[0]), scan, key => (DType.F32, Evaluate.Store(inputs[key.Model + 1], DType.F32)),
            [(value, DType.F32)])[0]).ToArray();
        Assert.Equal(expected, actual);
    });

    [Theory]
    [InlineData(70000, 3)]
    [InlineData(300, 500)]
    [InlineData(3, 70001)]
    public void Slabs_too_large_to_keep_are_computed_again_with_the_same_result(int rows, int columns)
    {
        var scan = Evaluate.Scan(1, rows, columns);
        var inputs = new[] { Evaluate.Finite(rows * columns, 1), Evaluate.Finite(rows * columns, 2) };
        TensorExpr Softmax(Block b)
        {
            var e = (b.Base - b.Base.MaxAlong(0)).Exp();
            var p = e / e.SumAlong(0);
            return p * b.Models[0].DotAlong(p, 1) + b.Base.RankAlong(0);
        }
        var recorded = scan.Record(Softmax);
        var expected = new WholeArraysOfLargeSlabs(scan.Info, inputs).Softmax();
        Assert.Equal(expected, Evaluate.Value(Evaluate.Compiler(Widths[0]), scan, Softmax, inputs));
        Assert.Equal(rows * (long)columns, Recording.Of(scan.Info, [recorded]).Unit);
    }

    [Fact]
    public void Matrices_put_back_and_low_rank_products_land_at_their_places()
    {
        var scan = Evaluate.Scan(0, 37, 1100);
        Matrix Filled(int rows, int columns, ulong seed) =>
            new(rows, columns, [.. Evaluate.Finite(rows * columns, seed).Select(v => (double)v)]);
        var (b, a, view) = (Filled(37, 5, 1), Filled(5, 1100, 2), Filled(37, 1100, 3));
        var value = scan.Record(block => block.LowRank(b, a) * block.View(view) + block.Base);
        var input = Evaluate.Values(37 * 1100, 4);
        var expected = new WholeArrays(scan.Info, _ => input).Of(value);
        var bytes = Evaluate.Store(input, DType.F32);
        foreach (var cuts in new long[][] { [], [5, 1234, 20000], [4096, 4097] })
        {
            var actual = Evaluate.Run(Evaluate.Compiler(Widths[0]), scan, _ => (DType.F32, bytes), [(value, DType.F32)], cuts);
            Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(actual[0]).ToArray());
        }
    }

    [Theory]
    [InlineData(37, 1100)]
    [InlineData(900, 7)]
    [InlineData(1, 1)]
    public void A_product_of_rows_and_columns_is_spread_over_its_places_wherever_a_part_begins(int rows, int columns)
    {
        var scan = Evaluate.Scan(0, rows, columns);
        var (r, c) = (Evaluate.Finite(rows, 1), Evaluate.Finite(columns, 2));
        var value = scan.Record(b =>
        {
            var outer = b.Columns([.. c.Select(v => (double)v)]) * b.Rows([.. r.Select(v => (double)v)]);
            // Its factors are wanted alone, too.
            return (outer * b.Base) + b.Rows([.. r.Select(v => (double)v)]);
        });
        var input = Evaluate.Finite(rows * columns, 4);
        float[] expected = [.. input.Select((x, i) => (c[i % columns] * r[i / columns] * x) + r[i / columns])];
        var bytes = Evaluate.Store(input, DType.F32);
        long[][] parts = rows * columns < 6000 ? [[]] : [[], [5, 1234, 6000], [4096, 4097]];
        foreach (var cuts in parts)
        {
            foreach (var width in Widths)
            {
                var actual = Evaluate.Run(Evaluate.Compiler(width), scan, _ => (DType.F32, bytes), [(value, DType.F32)], cuts);
                Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(actual[0]).ToArray());
            }
        }
    }

    [Fact]
    public void The_first_power_is_the_number_itself_and_no_number_below_zero()
    {
        var scan = Evaluate.Scan(0, 5);
        Assert.Equal(
            [3e-45f, 0, 1e-20f, float.PositiveInfinity, float.NaN],
            Evaluate.Value(Evaluate.Compiler(Widths[0]), scan, b => b.Base.Pow(1f), [3e-45f, 0, 1e-20f, float.PositiveInfinity, -1]));
        Assert.DoesNotContain(Recording.Of(scan.Info, [scan.Record(b => b.Base.Pow(1f))]).Terms, t => t.Op == Op.Pow);
    }

    [Fact]
    public void Zero_dim_tensors_have_one_element_along_any_axis()
    {
        var scan = Evaluate.Scan(0);
        Assert.Equal([2 + 2 + 0 + 4f], Evaluate.Value(Evaluate.Compiler(Widths[0]), scan,
            b => b.Base.SumAlong() + b.Base.MaxAlong(0) + b.Base.RankAlong() + b.Base.DotAlong(b.Base), [2f]));
    }

    [Fact]
    public void Tensors_merged_alike_share_one_compiled_loop()
    {
        var compiler = new CpuCompiler(Widths[0], 0);
        for (var i = 0; i < 3; i++)
        {
            var weight = (i + 2) * 0.25f;
            var scan = Evaluate.Scan(2, 100 + i);
            float[] ones = [.. Enumerable.Repeat(1f, 100 + i)];
            var values = Evaluate.Value(compiler, scan,
                b => (b.Models[0] * weight).Masked(b.Models[1].KeptBy(new Cut(1, 50 + i))), ones, ones, ones);
            Assert.Equal((50 + i) * weight, values.Sum());
        }
        Assert.Equal(1, compiler.CompiledCount);
    }

    [Fact]
    public void An_input_can_be_replaced_by_another_expression()
    {
        var scan = Evaluate.Scan(1, 2, 3);
        var block = new Block(scan);
        var rank1 = (block.Rows([1, 2]) * block.Columns([10, 20, 30])).Node;
        var recording = Recording.Of(scan.Info, [scan.Record(b => b.Side("v", 0) + b.Models[0])],
            key => key.Side == "v" ? rank1 : null);
        Assert.Equal([new InputKey(null, 0)], recording.Inputs);
        Assert.Equal(1, recording.Unit);
        Assert.False(recording.HasMap);
    }

    [Fact]
    public void Equal_values_are_computed_once_however_deep_the_expression()
    {
        var scan = Evaluate.Scan(1, 8);
        TensorExpr Chain(Block b)
        {
            TensorExpr sum = 0f;
            for (var i = 0; i < 50000; i++)
                sum = sum + b.Models[0].Abs();
            return sum;
        }
        var recording = Recording.Of(scan.Info, [scan.Record(Chain)]);
        Assert.Equal(50000 + 3, recording.Terms.Count);
    }

    private static void ForRandomSeeds(int count, Action<int> check)
    {
        var property = Prop.ForAll(Gen.Choose(0, int.MaxValue - 10).ToArbitrary(), seed => check(seed));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(20260101, 77), property);
    }

    private static void Compare(int seed, int elements, int steps, bool along)
    {
        var random = new RandomExpressions((ulong)seed);
        var scan = Evaluate.Scan(2, random.Shape(elements));
        var block = new Block(scan);
        var roots = Enumerable.Range(0, 1 + random.Below(3))
            .Select(_ => (random.Value(block, scan.Info, steps, along).Node, random.Type())).ToArray();
        var types = Enumerable.Range(0, 3).Select(_ => random.Type()).ToArray();
        var inputs = types.Select((t, i) => Evaluate.Store(Evaluate.Values((int)scan.Info.Count, (ulong)(seed + i)), t)).ToArray();
        (DType, byte[]) Input(InputKey key) => (types[key.Model + 1], inputs[key.Model + 1]);

        var expected = Evaluate.Run(Evaluate.Interpreter, scan, Input, roots);
        var unit = Recording.Of(scan.Info, [.. roots.Select(r => r.Node)]).Unit;
        foreach (var width in Widths)
        {
            var actual = Evaluate.Run(Evaluate.Compiler(width), scan, Input, roots, random.Ends(scan.Info.Count, unit));
            for (var k = 0; k < expected.Length; k++)
                Assert.Equal(expected[k], actual[k]);
        }
    }

    /// <summary>What the slab test computes, with loops.</summary>
    private sealed class WholeArraysOfLargeSlabs(TensorInfo info, float[][] inputs)
    {
        public float[] Softmax()
        {
            var (rows, columns) = ((int)info.RowCount, (int)info.RowLength);
            var (p, result) = (new float[rows * columns], new float[rows * columns]);
            for (var j = 0; j < columns; j++)
            {
                int[] places = [.. Enumerable.Range(0, rows).Select(i => (i * columns) + j)];
                var largest = places.Max(k => inputs[0][k]);
                var e = places.Select(k => Arithmetic<Lanes1, float, int>.Exp(inputs[0][k] - largest)).ToArray();
                var sum = (float)e.Aggregate(0d, (s, v) => s + v);
                var order = places.OrderBy(k => inputs[0][k]).ToArray();
                for (var rank = 0; rank < rows; rank++)
                    result[order[rank]] = rank;
                for (var i = 0; i < rows; i++)
                    p[places[i]] = e[i] / sum;
            }
            for (var i = 0; i < rows; i++)
            {
                var terms = Enumerable.Range(i * columns, columns).Select(k => (double)inputs[1][k] * p[k]).ToArray();
                var dot = (float)WholeArrays.InLanes(terms);
                for (var k = i * columns; k < (i + 1) * columns; k++)
                    result[k] = (p[k] * dot) + result[k];
            }
            return result;
        }
    }
}

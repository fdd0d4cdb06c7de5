using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

public class ElementaryTests
{
    [Fact]
    public void Exp_is_within_2_units_in_the_last_place() =>
        Check(Grid(), b => b.Base.Exp(), Math.Exp, 2);

    [Fact]
    public void Log_is_within_2_units_in_the_last_place() =>
        Check(Grid(), b => b.Base.Log(), Math.Log, 2);

    [Theory]
    [InlineData(0.25f)]
    [InlineData(0.3f)]
    [InlineData(2f)]
    [InlineData(3f)]
    [InlineData(-1f)]
    [InlineData(-0.7f)]
    [InlineData(17.5f)]
    [InlineData(1e-6f)]
    [InlineData(0f)]
    public void Pow_is_within_16_units_in_the_last_place(float exponent) =>
        Check(Grid(), b => b.Base.Pow(b.Models[0]), x => x < 0 && exponent != 0 ? double.NaN : Math.Pow(Math.Abs(x), exponent), 16, exponent);

    [Fact]
    public void Pow_near_one_with_a_large_exponent_stays_accurate()
    {
        var grid = Enumerable.Range(-20000, 40000).Select(i => 1 + (i * 5.9604645e-8f * 3)).ToArray();
        foreach (var exponent in new[] { 1e3f, 1e4f, -2e4f })
            Check(grid, b => b.Base.Pow(b.Models[0]), x => Math.Pow(x, exponent), 16, exponent);
    }

    [Fact]
    public void Pow_of_half_and_one_are_exact()
    {
        var grid = Grid();
        var fill = Enumerable.Repeat(0.5f, grid.Length).ToArray();
        var scan = Evaluate.Scan(1, grid.Length);
        var root = Evaluate.Value(Evaluate.Compiler(16), scan, b => b.Base.Pow(b.Models[0]), grid, fill);
        var recorded = Evaluate.Value(Evaluate.Compiler(16), scan, b => b.Base.Pow(0.5f), grid, fill);
        var same = Evaluate.Value(Evaluate.Compiler(16), scan, b => b.Base.Pow(1f), grid);
        for (var i = 0; i < grid.Length; i++)
        {
            AssertSame(MathF.Sqrt(grid[i]), root[i]);
            AssertSame(MathF.Sqrt(grid[i]), recorded[i]);
            AssertSame(grid[i] >= 0 ? grid[i] : float.NaN, same[i]);
        }
    }

    [Fact]
    public void Pow_at_the_edges_follows_IEEE_754()
    {
        float[] bases = [0, -0f, 1, 0.5f, 2, float.PositiveInfinity, float.NaN, 1e-45f];
        float[] exponents = [0, -0f, 1, -1, 3, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e-45f, 1e30f, -1e30f];
        foreach (var y in exponents)
        {
            var values = Evaluate.Value(Evaluate.Interpreter, Evaluate.Scan(1, bases.Length),
                b => b.Base.Pow(b.Models[0]), bases, [.. bases.Select(_ => y)]);
            for (var i = 0; i < bases.Length; i++)
                Assert.Equal((float)Math.Pow(bases[i] == 0 ? 0 : bases[i], y), values[i] == 0 ? 0 : values[i]);
        }
    }

    private static void AssertSame(float expected, float actual) => Assert.True(
        float.IsNaN(expected) ? float.IsNaN(actual) : expected.Equals(actual), $"{expected:R} {actual:R}");

    private static void Check(
        float[] grid, Func<Block, TensorExpr> value, Func<double, double> exact, double most, float exponent = 0)
    {
        var scan = Evaluate.Scan(1, grid.Length);
        var fill = grid.Select(_ => exponent).ToArray();
        var actual = Evaluate.Value(Evaluate.Compiler(LoopEmitter.WidestLanes), scan, value, grid, fill);
        Assert.Equal(Evaluate.Value(Evaluate.Interpreter, scan, value, grid, fill), actual);
        for (var i = 0; i < grid.Length; i++)
        {
            var expected = exact(grid[i]);
            var rounded = (float)expected;
            if (float.IsNaN(rounded) || float.IsInfinity(rounded) || float.IsInfinity(actual[i]))
            {
                // At the edge of overflow the two may differ by a unit.
                Assert.True(rounded.Equals(actual[i]) || Math.Abs(expected) is > 3.4028e38 and < 3.40283e38,
                    $"f({grid[i]:R}) = {actual[i]:R}, not {expected:R}");
                continue;
            }
            var unit = Math.Max(Math.Pow(2, Math.Floor(Math.Log2(Math.Max(Math.Abs(expected), 1e-300))) - 23), Math.Pow(2, -149));
            Assert.True(Math.Abs(actual[i] - expected) <= most * unit,
                $"f({grid[i]:R}) = {actual[i]:R}, not {expected:R}: {Math.Abs(actual[i] - expected) / unit} units");
        }
    }

    /// <summary>Every 9973rd float of both signs, every 1/4096 in ±110, all special values.</summary>
    private static float[] Grid()
    {
        var grid = new List<float> { 0, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1, float.Epsilon };
        for (var bits = 0u; bits < 0x7f800000; bits += 9973)
        {
            grid.Add(BitConverter.UInt32BitsToSingle(bits));
            grid.Add(BitConverter.UInt32BitsToSingle(bits | 0x80000000));
        }
        for (var i = -110 * 4096; i <= 110 * 4096; i++)
            grid.Add(i / 4096f);
        return [.. grid];
    }
}

using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Merging;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class NonFiniteTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(DType.F64, 0x7FF0_0000_0000_0000, 0x7FEF_FFFF_FFFF_FFFF)]
    [InlineData(DType.F32, 0x7F80_0000, 0x7F7F_FFFF)]
    [InlineData(DType.F16, 0x7C00, 0x7BFF)]
    [InlineData(DType.BF16, 0x7F80, 0x7F7F)]
    public void Every_nan_and_infinity_is_found_wherever_it_stands(DType dtype, long infinity, long largest)
    {
        var size = dtype.Bits() / 8;
        var sign = 1L << (dtype.Bits() - 1);
        for (var count = 0; count < 70; count += 3)
        {
            var bytes = new byte[count * size];
            for (var i = 0; i < count; i++)
                Put(i, i % 2 == 0 ? largest : largest | sign);
            Assert.False(NonFinite.Any(dtype, bytes));
            for (var i = 0; i < count; i++)
            {
                foreach (var value in new[] { infinity, infinity | sign, infinity | 1, largest | infinity })
                {
                    Put(i, value);
                    Assert.True(NonFinite.Any(dtype, bytes), $"{value:x} at {i} of {count}");
                }
                Put(i, largest);
            }

            void Put(int at, long value) =>
                MemoryMarshal.AsBytes<long>([value])[..size].CopyTo(bytes.AsSpan(at * size));
        }
    }

    [Fact]
    public void What_only_the_output_has_is_reported_with_the_tensors_name()
    {
        var a = _models.Add("a", Of("fine", 1), Of("v", [.. Enumerable.Repeat(1f, 3000), 2e38f, 1f]));
        var run = Runs.Of(
            Runs.Plan(new OneLine(_ => TensorMerge.Combine([2])), null, a),
            new RunSettings { Threads = 3, BlockBytes = 64 });
        var finding = Assert.Single(run.Findings);
        Assert.Equal(("v", Severity.Warning), (finding.Where, finding.Severity));
        Assert.Contains("first in elements 2048 to 3001", finding.Found);
    }

    [Fact]
    public void A_float16_overflow_says_what_to_do()
    {
        var bytes = MemoryMarshal.AsBytes<Half>([(Half)60000, (Half)1]).ToArray();
        var a = _models.Add("a", new TestTensor("w", DType.F16, [2], bytes));
        var finding = Assert.Single(Runs.Of(Runs.Plan(new OneLine(_ => TensorMerge.Combine([2])), null, a)).Findings);
        Assert.Contains("out_dtype", finding.Fix);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void What_an_input_has_is_not_reported(float value)
    {
        var a = _models.Add("a", Of("w", 1, value, 3));
        var b = _models.Add("b", Of("w", 1, 2, 3));
        Assert.Empty(Runs.Of(Runs.Plan(new OneLine(_ => TensorMerge.Combine([1, 2])), null, a, b)).Findings);
        Assert.Empty(Runs.Of(Runs.Plan(new OneLine(_ => TensorMerge.Copy(0)), null, a, b)).Findings);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(1 << 20)]
    public void What_a_statistic_spreads_from_an_input_is_not_reported(int blockBytes)
    {
        var a = _models.Add("a", Of("w", [float.NaN, .. Enumerable.Repeat(1f, 5000)]));
        var plan = Runs.Plan(
            new OneLine(async t =>
            {
                var sum = await t.Sum(x => x.Models[0]);
                return TensorMerge.From(x => x.Models[0] / (float)sum);
            }),
            null,
            a);
        Assert.Empty(Runs.Of(plan, new RunSettings { Threads = 2, BlockBytes = blockBytes }).Findings);
    }
}

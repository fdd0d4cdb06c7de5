using FsCheck;
using FsCheck.Fluent;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Sdk;
using static Host.Tests.Compute.Sweeps;

namespace Host.Tests.Compute;

/// <summary>Cuts over all tensors of a model, against sorting.</summary>
public class ModelSelectionTests
{
    [Fact]
    public void A_model_keeps_exactly_as_many_in_the_order_of_its_tensors() => Check(
        new([1000, 0, 7, 2_500_000, 1_500_000, 2500], (t, i) => Random(t, i) % 20 is var x && x < 15 ? 0f : x * 0.5f),
        [0, 1, 4000, 5000, 1_200_000, 3_999_999, 4_003_499, 4_003_500, 100_000_000],
        leftOut: 2);

    [Fact]
    public void Cuts_over_tensors_of_any_sizes_are_those_of_sorting()
    {
        var property = Prop.ForAll(Gen.Choose(0, int.MaxValue - 10).ToArbitrary(), seed =>
        {
            var random = new RandomExpressions((ulong)seed);
            int[] sizes = [.. Enumerable.Range(0, 1 + random.Below(8)).Select(_ => random.Below(4) switch
            {
                0 => random.Below(3),
                1 => random.Below(3000),
                _ => random.Below(60_000),
            })];
            var different = 1 + random.Below(random.Below(2) == 0 ? 5 : 1_000_000);
            var model = new Model(sizes, (t, i) => Special(Random(t + seed, i) % (uint)different));
            var most = sizes.Sum();
            Check(model, [random.Below(most + 1), random.Below(most + 1), 1, most - 1], (ulong)seed);
        });
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20260111, 79), property);
    }

    [Fact]
    public void A_model_of_equal_scores_keeps_the_first()
    {
        var model = new Model([70_000, 0, 65_536, 1, 200_000], (_, _) => -3f);
        Check(model, [1, 70_000, 70_001, 135_536, 135_537, 135_538, 335_536]);
    }

    [Fact]
    public void Tensors_whose_scores_differ_by_orders_of_magnitude_take_a_sample_one_sweep_and_one_page()
    {
        int[] sizes = [300_000, 900, 1_200_000, 64_000, 500_000];
        var model = new Model(sizes, (t, i) => MathF.Pow(10, t) * (1 + (Random(t, i) % 50_000)));
        foreach (var keep in (long[])[10_000, 564_000, 1_000_000])
        {
            var (rounds, elements) = Check(model, [keep]);
            Assert.InRange(rounds, 2, 3);
            Assert.InRange(elements, sizes.Sum(), 1.15 * sizes.Sum());
        }
    }

    [Theory]
    [InlineData(0.25f)]
    [InlineData(400f)]
    public void Cuts_over_a_model_are_exact_where_the_sample_misleads(float unseen)
    {
        int[] sizes = [700_000, 500, 400_003];
        var seen = sizes.Select(n => new bool[n]).ToArray();
        var (scans, model, _) = Pending(sizes, [sizes.Sum() / 2], -1);
        foreach (var (scan, sweep) in Statistics(model).Next()!)
        {
            Assert.True(sweep.IsSample);
            for (var start = 0L; start < scan.Info.Count; start += sweep.SegmentLength)
            {
                var (first, end) = sweep.Needs(start);
                seen[Array.IndexOf(scans, scan)].AsSpan((int)first, (int)(end - first)).Fill(true);
            }
        }
        var misleading = new Model(sizes, (t, i) => (seen[t][i] ? 1f : unseen) + (i % 7919 * 1e-5f));
        var (rounds, elements) = Check(misleading, [sizes.Sum() / 2]);
        Assert.InRange(rounds, 4, 5);
        Assert.True(elements >= 3L * sizes.Sum());
    }

    [Fact]
    public void Where_pages_are_too_many_to_hold_they_are_joined_and_looked_at_anew()
    {
        // Runs of alike scores: a run says as little as one element, so much lies in the bracket.
        int[] sizes = [1_100_000, 30_000, 870_000];
        float Score(int t, int i) => BitConverter.UInt32BitsToSingle(
            0x3f000000 + (Random(t + 50, i / 40_000) % 5 * 16_000) + (Random(t, i) % 16_000));
        foreach (var keep in (long[])[900_000, 1_000_000])
        {
            var (rounds, elements) = Check(new(sizes, Score), [keep]);
            Assert.Equal(4, rounds);
            Assert.InRange(elements, sizes.Sum(), 2.1 * sizes.Sum());
        }
    }

    [Fact]
    public void A_model_with_too_many_different_scores_near_a_cut_is_counted_in_full()
    {
        int[] sizes = [1_500_000, 1_500_000];
        float Score(int t, int i) => BitConverter.UInt32BitsToSingle(
            0x3f000000 + ((uint)t * 40_000 * 50) + (Random(t, i / 40_000) % 100 * 40_000) + ((uint)i % 40_000));
        Check(new(sizes, Score), [1_400_000]);
    }

    [Fact]
    public void Cuts_and_statistics_of_single_tensors_are_taken_beside_those_of_the_model()
    {
        int[] sizes = [200_000, 150_000, 10];
        var values = sizes.Select((n, t) => Enumerable.Range(0, n).Select(i => Random(t, i) % 1000 * 0.25f).ToArray()).ToArray();
        var (scans, model, cuts) = Pending(sizes, [100_000], -1);
        var own = scans[0].Largest(b => b.Base, 5000);
        var sum = scans[1].Sum(b => b.Base);
        // A selection of few elements needs no sample and waits while the others take theirs.
        var few = model.Largest(t => t.Scan == scans[2] ? b => b.Base : null, 4);
        Run(scans, model, values, 3);

        Assert.Equal(values[1].Sum(v => (double)v), Value(sum));
        Assert.Equal(5000, values[0].Where((v, i) => IsKept(v, i, Value(own))).Count());
        Assert.Equal(4, values[2].Where((v, i) => IsKept(v, i, Value(few).For(scans[2].Info))).Count());
        Assert.Equal(100_000, values.Select((v, t) => v.Where((s, i) => IsKept(s, i, Value(cuts[0]).For(scans[t].Info))).Count()).Sum());
    }

    private static uint Random(int key, int index) => Philox.Words(((uint)index, 0, 0, 0), (ulong)key).X;

    private static float Special(uint one) => one switch
    {
        0 => float.NaN,
        1 => 0f,
        2 => -0f,
        3 => float.PositiveInfinity,
        4 => float.NegativeInfinity,
        _ => (one - 500_000f) * 1e-3f,
    };

    private static (TensorScan[] Scans, ModelScan<object> Model, Stat<ModelCut>[] Cuts) Pending(
        int[] sizes, long[] keeps, int leftOut)
    {
        TensorScan[] scans = [.. sizes.Select((n, i) => new TensorScan(
            new TensorInfo($"t{i}", [n], TensorKind.Weight, i), 0, true, (_, _) => false, null!))];
        var model = new ModelScan<object>([.. scans.Select(s => new SurveyedTensor<object>(s, new object()))]);
        return (scans, model, [.. keeps.Select(keep => model.Largest(
            t => leftOut >= 0 && t.Scan == scans[leftOut] ? null : b => b.Base, keep))]);
    }

    private static ModelStatistics Statistics(ModelScan<object> model) =>
        new([model], new CpuCompiler(), (_, _) => DType.F32, 0);

    private static (int Rounds, long Elements) Run(
        TensorScan[] scans, ModelScan<object> model, float[][] values, ulong seed)
    {
        var (rounds, elements) = (0, 0L);
        var statistics = Statistics(model);
        for (; statistics.Next() is { } round; rounds++)
        {
            foreach (var (scan, sweep) in round)
            {
                for (var start = 0L; start < scan.Info.Count; start += sweep.SegmentLength)
                    elements += sweep.Needs(start).End - sweep.Needs(start).Start;
                Sweeps.Run(sweep, scan.Info, [values[Array.IndexOf(scans, scan)]], seed++);
            }
        }
        statistics.Complete();
        return (rounds, elements);
    }

    private static (int Rounds, long Elements) Check(Model data, long[] keeps, ulong seed = 5, int leftOut = -1)
    {
        var values = data.Sizes.Select((n, t) => Enumerable.Range(0, n).Select(i => data.Score(t, i)).ToArray()).ToArray();
        var (scans, model, cuts) = Pending(data.Sizes, keeps, leftOut);
        var figures = Run(scans, model, values, seed);

        var all = values.SelectMany((v, t) => t == leftOut ? [] : v.Select((s, i) => (Score: s, Tensor: t, Index: i))).ToArray();
        int[] order = [.. Enumerable.Range(0, all.Length)];
        Array.Sort(order, (a, b) => WholeArrays.Compare(all[b].Score, all[a].Score) is var c && c != 0 ? c : a - b);
        for (var k = 0; k < keeps.Length; k++)
        {
            var expected = new bool[all.Length];
            foreach (var i in order.Take((int)Math.Min(keeps[k], all.Length)))
                expected[i] = true;
            Cut[] own = [.. scans.Select(s => Value(cuts[k]).For(s.Info))];
            bool[] kept = [.. all.Select(e => IsKept(e.Score, e.Index, own[e.Tensor]))];
            Assert.True(expected.AsSpan().SequenceEqual(kept), $"keep {keeps[k]} of {all.Length}");
            if (leftOut >= 0)
                Assert.Equal(Cut.KeepNone, own[leftOut]);
        }
        return figures;
    }

    private static bool IsKept(float score, long index, Cut cut) =>
        WholeArrays.Compare(score, cut.Value) is var order && (order > 0 || (order == 0 && index < cut.IndexLimit));

    private sealed record Model(int[] Sizes, Func<int, int, float> Score);
}

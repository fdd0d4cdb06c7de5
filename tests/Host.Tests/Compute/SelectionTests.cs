using FsCheck;
using FsCheck.Fluent;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Sdk;
using static Host.Tests.Compute.Sweeps;

namespace Host.Tests.Compute;

public class SelectionTests
{
    [Fact]
    public void Cuts_keep_exactly_the_largest_with_the_lower_indices()
    {
        var property = Prop.ForAll(Gen.Choose(0, int.MaxValue - 10).ToArbitrary(), seed =>
        {
            var random = new RandomExpressions((ulong)seed);
            var scores = Evaluate.Values(1 + random.Below(3000), (ulong)seed);
            CheckCuts(scores, [0, 1, scores.Length, scores.Length + 5, random.Below(scores.Length), random.Below(scores.Length)]);
        });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150).WithReplay(20260102, 77), property);
    }

    [Fact]
    public void Cuts_among_more_ties_than_can_be_gathered_are_exact()
    {
        const int Count = 4_300_000;
        var scores = new float[Count];
        for (var i = 0; i < Count; i++)
            scores[i] = Philox.Words(((uint)i, 0, 0, 0), 9).X % 10 is var x && x < 8 ? (x % 2 == 0 ? 0f : -0f) : x - 8.5f;
        var negative = scores.Count(s => s < 0);
        CheckCuts(scores, [1, Count / 2, Count - negative, Count - negative + 1, Count - negative - 1, Count - 1]);
    }

    [Fact]
    public void Cuts_among_many_different_scores_of_one_bin_are_exact()
    {
        float Score(int i) => 1 + ((Philox.Words(((uint)i, 0, 0, 0), 3).X % 30000) * 1.1920929e-7f);
        float[] scores = [.. Enumerable.Range(0, 2_200_000).Select(Score)];
        CheckCuts(scores, [1, 12345, 1_100_000, 2_199_999]);
    }

    [Theory]
    [InlineData(65_537, 1)]
    [InlineData(300_007, 2)]
    [InlineData(1_500_001, 3)]
    public void Cuts_near_a_sample_are_exact_with_and_without_ties(int count, ulong seed)
    {
        var scores = new float[count];
        for (var i = 0; i < count; i++)
            scores[i] = Philox.Words(((uint)i, 0, 0, 0), seed).X is var x && seed == 2 ? x % 1000 : x * 1e-9f;
        CheckCuts(scores, [1, count / 2, count - 1]);
        CheckCuts(scores, [count / 10, count / 3]);
    }

    [Fact]
    public void Cuts_among_equal_scores_keep_the_first()
    {
        var scores = new float[400_000];
        Array.Fill(scores, -3f);
        CheckCuts(scores, [1, 65_536, 65_537, 399_999]);
    }

    [Fact]
    public void Cuts_of_a_sampled_tensor_hold_zeros_equal_and_NaN_above_infinity()
    {
        float[] values = [float.NaN, -float.NaN, 0f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, 1f];
        float[] scores = [.. Enumerable.Range(0, 250_000).Select(i => values[Philox.Words(((uint)i, 0, 0, 0), 5).X % 8])];
        foreach (var keep in (long[])[1, 30_000, 70_000, 100_000, 130_000, 180_000, 230_000])
            CheckCuts(scores, [keep]);
    }

    [Theory]
    [InlineData(0.25f)]
    [InlineData(4f)]
    public void Cuts_are_exact_where_the_sample_misleads(float unseen)
    {
        const int Count = 1_000_003;
        var seen = new bool[Count];
        var scan = Evaluate.Scan(0, Count);
        scan.Largest(b => b.Base, Count / 2);
        var statistics = new TensorStatistics(
            scan.Info, [.. scan.Pending], [], new CpuCompiler(), _ => DType.F32, Evaluate.Seed);
        var sample = statistics.Next()!;
        Assert.True(sample.IsSample);
        for (var start = 0L; start < Count; start += sample.SegmentLength)
        {
            var (first, end) = sample.Needs(start);
            seen.AsSpan((int)first, (int)(end - first)).Fill(true);
        }
        float[] scores = [.. seen.Select((s, i) => (s ? 1f : unseen) + (i % 7919 * 1e-5f))];
        CheckCuts(scores, [Count / 2]);
        CheckCuts(scores, [1000, Count / 3, Count - 1]);
        Assert.Equal(4, SweepsOf(scores, Count / 2));
    }

    [Fact]
    public void Cuts_are_exact_where_more_different_scores_lie_near_them_than_are_held()
    {
        // Runs of alike scores: a run says as little as one element, so much lies in the bracket.
        float[] scores = [.. Enumerable.Range(0, 3_000_000).Select(i => BitConverter.UInt32BitsToSingle(
            0x3f000000 + (Philox.Words(((uint)i / 40_000, 0, 0, 0), 11).X % 100 * 40_000) + ((uint)i % 40_000)))];
        long[] keeps = [1_400_000, 1_500_000, 1_600_000, 1_700_000];
        CheckCuts(scores, keeps);
        Assert.Equal(4, SweepsOf(scores, keeps));
    }

    [Fact]
    public void A_sample_and_one_sweep_find_a_cut_without_ties()
    {
        float[] scores = [.. Enumerable.Range(0, 500_000).Select(i => (float)(i * 7919L % 500_000))];
        Assert.Equal(2, SweepsOf(scores, 250_000));
        Assert.Equal(1, SweepsOf(scores[..60_000], 30_000));
    }

    [Fact]
    public void Order_statistics_are_those_of_sorting()
    {
        var scores = Evaluate.Values(20011, 4);
        var sorted = (float[])scores.Clone();
        Array.Sort(sorted, WholeArrays.Compare);
        var scan = Evaluate.Scan(0, scores.Length);
        long[] ranks = [0, 20010, 10005, 5002, 10005, 15007, 17];
        var values = scan.OrderStatistics(b => b.Base, ranks);
        Complete(scan, [scores]);
        for (var k = 0; k < ranks.Length; k++)
            Assert.Equal(0, WholeArrays.Compare(sorted[ranks[k]], Value(values)[k]));
    }

    [Fact]
    public void The_same_score_is_kept_where_its_cut_says_so()
    {
        var inputs = new[] { Evaluate.Finite(50_021, 1), Evaluate.Finite(50_021, 2) };
        var scan = Evaluate.Scan(1, 50_021);
        TensorExpr Score(Block b) => (b.Deltas[0].Abs() * 0.37f).Exp();
        var cut = scan.Largest(Score, 12_345);
        Complete(scan, inputs);
        var kept = scan.Count(b => Score(b).KeptBy(Value(cut)));
        Complete(scan, inputs, compiler: Evaluate.Interpreter);
        Assert.Equal(12_345, Value(kept));
    }

    private static int SweepsOf(float[] scores, params long[] keeps)
    {
        var scan = Evaluate.Scan(0, scores.Length);
        foreach (var keep in keeps)
            scan.Largest(b => b.Base, keep);
        var statistics = new TensorStatistics(
            scan.Info, [.. scan.Pending], [], new CpuCompiler(), _ => DType.F32, Evaluate.Seed);
        var sweeps = 0;
        for (; statistics.Next() is { } sweep; sweeps++)
            Sweeps.Run(sweep, scan.Info, [scores], 3);
        return sweeps;
    }

    private static void CheckCuts(float[] scores, long[] keeps)
    {
        var scan = Evaluate.Scan(0, scores.Length);
        var cuts = keeps.Select(k => scan.Largest(b => b.Base, k)).ToArray();
        Complete(scan, [scores]);
        int[] order = [.. Enumerable.Range(0, scores.Length)];
        Array.Sort(order, (i, j) => WholeArrays.Compare(scores[j], scores[i]) is var c && c != 0 ? c : i - j);
        for (var k = 0; k < keeps.Length; k++)
        {
            var cut = Value(cuts[k]);
            var expected = new bool[scores.Length];
            foreach (var i in order.Take((int)Math.Min(keeps[k], scores.Length)))
                expected[i] = true;
            bool[] kept = [.. scores.Select((s, i) => IsKept(s, i, cut))];
            Assert.True(expected.AsSpan().SequenceEqual(kept), $"keep {keeps[k]} of {scores.Length}: {cut}");
        }
    }

    private static bool IsKept(float score, long index, Cut cut) =>
        WholeArrays.Compare(score, cut.Value) is var order && (order > 0 || (order == 0 && index < cut.IndexLimit));
}

using FsCheck;
using FsCheck.Fluent;
using Host.Tests.Checkpoints;
using Merge.Trust;

namespace Host.Tests.Trust;

public class RankingTests
{
    // By the formula of the definition, worked out by hand: C 2, D 6, ties 2 and 1 of 10 pairs … gives −4/√(8·9).
    [Fact]
    public void Tau_of_a_worked_example_with_ties() =>
        Assert.Equal(-4 / Math.Sqrt(8.0 * 9), KendallTau.Of([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]), 12);

    [Fact]
    public void Tau_of_the_same_order_is_1_and_of_the_reverse_minus_1()
    {
        Assert.Equal(1, KendallTau.Of([1, 2, 3, 9], [10, 20, 30, 31]), 12);
        Assert.Equal(-1, KendallTau.Of([1, 2, 3, 9], [4, 3, 2, 1]), 12);
    }

    [Fact]
    public void Without_two_different_values_there_is_no_tau()
    {
        Assert.True(double.IsNaN(KendallTau.Of([1, 1, 1], [1, 2, 3])));
        Assert.True(double.IsNaN(KendallTau.Of([], [])));
    }

    [Fact]
    public void A_candidate_that_failed_on_one_split_is_left_out() =>
        Assert.Equal(1, KendallTau.Of([1, 2, double.NaN, 3], [1, 2, 0, double.PositiveInfinity]), 12);

    [Fact]
    public void Pairs_are_counted_as_one_by_one() =>
        Prop.ForAll(Gen.Choose(0, 5).Two().ListOf().ToArbitrary(), points =>
        {
            double[] a = [.. points.Select(p => (double)p.Item1)];
            double[] b = [.. points.Select(p => (double)p.Item2)];
            var (alike, reversed, tiedA, tiedB, both) = (0L, 0L, 0L, 0L, 0L);
            for (var i = 0; i < a.Length; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    var (x, y) = (Math.Sign(a[i] - a[j]), Math.Sign(b[i] - b[j]));
                    alike += x * y > 0 ? 1 : 0;
                    reversed += x * y < 0 ? 1 : 0;
                    tiedA += x == 0 ? 1 : 0;
                    tiedB += y == 0 ? 1 : 0;
                    both += x == 0 && y == 0 ? 1 : 0;
                }
            }
            return PairCounts.Of(a, b) == new PairCounts(a.Length * (a.Length - 1) / 2, alike, reversed, tiedA, tiedB, both);
        }).Check(Fixed.Replay());

    [Fact]
    public void Decision_accuracy_is_the_share_of_pairs_ordered_alike()
    {
        // (0,1) alike, (0,2) alike, (1,2) reversed.
        Assert.Equal(2 / 3.0, SignalNoise.DecisionAccuracy([1, 2, 3], [1, 9, 8]), 12);
        Assert.Equal(1, SignalNoise.DecisionAccuracy([1, 1], [5, 5]), 12);
        Assert.Equal(0, SignalNoise.DecisionAccuracy([1, 1], [5, 6]), 12);
        Assert.True(double.IsNaN(SignalNoise.DecisionAccuracy([1], [1])));
    }
}

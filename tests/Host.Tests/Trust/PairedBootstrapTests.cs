using Merge.Sdk;
using Merge.Trust;

namespace Host.Tests.Trust;

public class PairedBootstrapTests
{
    [Fact]
    public void Equal_scores_differ_by_nothing()
    {
        var scores = Scores(100, 1);
        Assert.Equal(new PairedDifference(100, 0, 0, 0, 0.5, 0.95), PairedBootstrap.Compare(scores, scores));
    }

    [Fact]
    public void A_constant_difference_has_no_interval()
    {
        var found = PairedBootstrap.Compare([3, 4, 5], [1, 2, 3]);
        Assert.Equal(new PairedDifference(3, 2, 2, 2, 1, 0.95), found);
        Assert.True(found.IsGain && !found.IsLoss);
    }

    [Fact]
    public void The_interval_of_many_examples_is_that_of_the_normal_distribution()
    {
        var (a, b) = (Scores(5000, 1), Scores(5000, 2));
        double[] differences = [.. a.Zip(b, (x, y) => x - y)];
        var mean = differences.Average();
        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / 4999 / 5000);
        var found = PairedBootstrap.Compare(a, b, resamples: 4000);
        Assert.Equal(mean, found.Mean, 12);
        Assert.InRange(found.Low, mean - (2.1 * error), mean - (1.82 * error));
        Assert.InRange(found.High, mean + (1.82 * error), mean + (2.1 * error));
    }

    [Fact]
    public void A_resample_draws_with_the_seed_and_its_own_number()
    {
        double[] differences = [0.3, 10.1, 31, 67, 100];
        var means = Enumerable.Range(0, 99).Select(r =>
        {
            var random = new SearchRandom(42 ^ ((ulong)r << 32));
            return Enumerable.Range(0, 5).Select(_ => differences[random.Below(5)]).Average();
        }).Order().ToArray();
        var found = PairedBootstrap.Compare(differences, [0, 0, 0, 0, 0], seed: 42, resamples: 99, confidence: 0.5);
        Assert.Equal((means[24] + means[25]) / 2, found.Low, 10);
        Assert.Equal((means[73] + means[74]) / 2, found.High, 10);
        Assert.Equal(found, PairedBootstrap.Compare(differences, [0, 0, 0, 0, 0], 42, 99, 0.5));
        Assert.NotEqual(found, PairedBootstrap.Compare(differences, [0, 0, 0, 0, 0], 43, 99, 0.5));
    }

    [Fact]
    public void Exchanged_models_have_the_opposite_difference()
    {
        var (a, b) = (Scores(200, 3), Scores(200, 4));
        var (forth, back) = (PairedBootstrap.Compare(a, b, resamples: 500), PairedBootstrap.Compare(b, a, resamples: 500));
        Assert.Equal(forth.Mean, -back.Mean, 12);
        Assert.Equal(forth.Low, -back.High, 12);
        Assert.Equal(forth.High, -back.Low, 12);
        Assert.Equal(forth.GainProbability, 1 - back.GainProbability, 12);
    }

    [Fact]
    public void Equally_good_models_are_told_apart_in_about_one_of_twenty_comparisons()
    {
        var wrong = Enumerable.Range(0, 400).Count(i =>
        {
            var found = PairedBootstrap.Compare(
                Scores(60, 1000 + (2 * (ulong)i)), Scores(60, 1001 + (2 * (ulong)i)), (ulong)i, resamples: 400);
            return found.IsGain || found.IsLoss;
        });
        Assert.InRange(wrong, 8, 40);
    }

    [Fact]
    public void Scores_of_different_examples_are_refused()
    {
        Assert.Throws<MergeException>(() => PairedBootstrap.Compare([1, 2], [1]));
        Assert.Throws<MergeException>(() => PairedBootstrap.Compare([], []));
    }

    [Theory]
    [InlineData(double.NaN, 0)]
    [InlineData(0, double.PositiveInfinity)]
    public void A_score_that_is_no_number_is_refused_by_its_place(double a, double b)
    {
        var refused = Assert.Throws<MergeException>(() => PairedBootstrap.Compare([0, a], [0, b]));
        Assert.Contains("example 1", refused.Message, StringComparison.Ordinal);
    }

    private static double[] Scores(int count, ulong seed)
    {
        var random = new SearchRandom(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Below(10) < 8 ? 1.0 : 0.0)];
    }
}

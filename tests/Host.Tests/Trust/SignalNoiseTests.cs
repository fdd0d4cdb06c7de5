using Merge.Trust;

namespace Host.Tests.Trust;

public class SignalNoiseTests
{
    [Fact]
    public void Signal_noise_and_ratio_are_those_of_the_formula()
    {
        // Means 10 and 14; squares 2 + 8 over 1 + 2 degrees of freedom.
        var found = SignalNoise.Of([[9, 11], [12, 14, 16]]);
        Assert.Equal(2, found.Candidates);
        Assert.Equal(4 / 12.0, found.Signal, 12);
        Assert.Equal(Math.Sqrt(10 / 3.0) / 12, found.Noise, 12);
        Assert.Equal(found.Signal / found.Noise, found.Ratio, 12);
    }

    [Fact]
    public void Failed_measurements_are_left_out()
    {
        Assert.Equal(SignalNoise.Of([[1, 2], [4, 5]]), SignalNoise.Of([[1, double.NaN, 2], [double.NaN], [4, 5]]));
        Assert.Equal(0, SignalNoise.Of([[double.NaN], []]).Candidates);
    }

    [Fact]
    public void Without_a_repeat_the_noise_is_not_known() => Assert.True(double.IsNaN(SignalNoise.Of([[1], [2]]).Noise));

    [Fact]
    public void The_last_scores_are_averaged()
    {
        Assert.Equal(3.5, SignalNoise.AverageOfLast([9, 3, 4], 2));
        Assert.Equal(3.5, SignalNoise.AverageOfLast([3, 4], 5));
        Assert.True(double.IsNaN(SignalNoise.AverageOfLast([], 5)));
    }

    [Theory]
    [InlineData(0.05, 0.001, "can tell the best of these candidates from the worst")]
    [InlineData(0.01, 0.01, "cannot tell these candidates apart")]
    [InlineData(0.01, 0, "repeats itself exactly")]
    [InlineData(0.01, double.NaN, "is not known")]
    [InlineData(0, 0.01, "All candidates score the same")]
    public void A_sentence_says_whether_candidates_can_be_told_apart(double spread, double deviation, string expected) =>
        Assert.Contains(expected, Verdict.Of(new SignalNoise(5, 0.9, spread, deviation)), StringComparison.Ordinal);

    [Theory]
    [InlineData(0.02, 0.01, 0.03, 100, "The soup is better than the base: +0.02 (95% interval +0.01 to +0.03, 100 examples).")]
    [InlineData(-0.02, -0.03, -0.01, 100, "The soup is worse than the base: −0.02")]
    [InlineData(0.02, -0.01, 0.05, 100, "do not tell the soup and the base apart")]
    [InlineData(0, 0, 0, 100, "score the same on every example")]
    [InlineData(0.2, 0.1, 0.3, 5, "a hint at best")]
    public void A_sentence_says_whether_a_difference_is_a_gain(
        double mean, double low, double high, int examples, string expected) => Assert.Contains(
        expected, Verdict.Of(new PairedDifference(examples, mean, low, high, 0.9, 0.95), "the soup", "the base"), StringComparison.Ordinal);

    [Fact]
    public void A_sentence_says_what_became_of_the_winner()
    {
        Assert.StartsWith(
            "Of 3 candidates the best on the selection split is beaten by one other on the report split; "
            + "the two splits order 67% of the pairs alike, Kendall's τ 0.33.",
            Verdict.OfWinner([3, 2, 1], [5, 6, 4]),
            StringComparison.Ordinal);
        Assert.Contains("is still first", Verdict.OfWinner([3, 2, 1], [5, 4, double.NaN]), StringComparison.Ordinal);
        Assert.Contains("cannot be told", Verdict.OfWinner([3], [5]), StringComparison.Ordinal);
    }
}

using Merge.Reports;
using Merge.Reports.Charts;

namespace Host.Tests.Reports;

public class ChartTests
{
    [Theory]
    [InlineData(0, 1, 0.2)]
    [InlineData(0.92, 0.97, 0.01)]
    [InlineData(-3, 400, 100)]
    [InlineData(1e-7, 5e-7, 1e-7)]
    public void Ticks_stand_at_round_numbers_within_the_axis(double low, double high, double step)
    {
        var axis = Axis.Between(low, high, 0, 100);
        Assert.Equal(step, axis.Step, 12);
        Assert.All(axis.Ticks, t => Assert.InRange(axis.At(t), -1e-6, 100 + 1e-6));
        Assert.InRange(axis.Ticks.Count, 3, 8);
    }

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 5.0 })]
    [InlineData(new[] { 0.0, 0.0 })]
    [InlineData(new[] { 1e300, -1e300, 1.0 })]
    [InlineData(new[] { 1e17, 1e17 + 16 })]
    [InlineData(new[] { double.NaN, double.PositiveInfinity })]
    public void Every_value_has_a_place(double[] values)
    {
        var axis = Axis.Of(values, 10, 90);
        Assert.NotEmpty(axis.Ticks);
        Assert.All(values.Where(v => !double.IsNaN(v)), v => Assert.InRange(axis.At(v), 10, 90));
    }

    [Theory]
    [InlineData(0.97181, "0.9718")]
    [InlineData(-0.5, "−0.5000")]
    [InlineData(9.99996, "10.000")]
    [InlineData(400.0, "400")]
    [InlineData(12345.678, "12346")]
    [InlineData(0.00001234, "1.234e-5")]
    [InlineData(-2.5e9, "−2.5e9")]
    [InlineData(0.0, "0")]
    [InlineData(double.NaN, "–")]
    [InlineData(null, "–")]
    public void Numbers_have_four_significant_digits(double? value, string expected) =>
        Assert.Equal(expected.Replace("e-", "e−", StringComparison.Ordinal), NumberText.Of(value));

    [Theory]
    [InlineData(-1e-17, 0.2, "0.0")]
    [InlineData(-0.4, 0.2, "−0.4")]
    [InlineData(300, 100, "300")]
    [InlineData(2e6, 1e6, "2e6")]
    public void Ticks_have_the_decimals_of_their_step(double value, double step, string expected) =>
        Assert.Equal(expected, NumberText.Tick(value, step));

    [Fact]
    public void Thinning_keeps_a_mark_wherever_there_was_one()
    {
        var places = Enumerable.Range(0, 20_000).Select(i => (X: i * 0.03 % 600, Y: i * 0.7 % 300, Index: i)).ToArray();
        var kept = Thinning.Of(places, 1500);
        Assert.InRange(kept.Count, 500, 1500);
        Assert.All(places, p => Assert.Contains(kept, k => Math.Abs(k.X - p.X) < 25 && Math.Abs(k.Y - p.Y) < 25));
        Assert.Equal(places[..100], Thinning.Of(places[..100], 1500));
    }

    [Fact]
    public void A_long_name_keeps_both_its_ends()
    {
        var name = new string('a', 50) + "/checkpoint-212";
        Assert.Equal(24, Figure.Short(name).Length);
        Assert.EndsWith("…eckpoint-212"[1..], Figure.Short(name), StringComparison.Ordinal);
        Assert.Equal("short", Figure.Short("short"));
    }

    [Fact]
    public void Whatever_is_put_into_markup_is_escaped()
    {
        var text = Markup.Of($"<p title=\"{SampleReports.Hostile}\">{SampleReports.Hostile}</p>").ToString();
        Assert.Equal(2, text.Count(c => c == '<'));
        Assert.Equal(2, text.Count(c => c == '"'));
        Assert.Equal(text, Markup.Of($"{Markup.Of($"<p title=\"{SampleReports.Hostile}\">{SampleReports.Hostile}</p>")}").ToString());
    }
}

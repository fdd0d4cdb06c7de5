using System.Text.RegularExpressions;
using System.Xml.Linq;
using Merge.Compute;
using Merge.Reports;
using Merge.Sdk;

namespace Host.Tests.Reports;

public partial class HtmlReportTests
{
    public static TheoryData<string> Samples() => [.. All.Keys];

    private static readonly Dictionary<string, Func<ReportData>> All = new()
    {
        ["bare"] = () => SampleReports.Bare,
        ["full"] = () => SampleReports.Full(),
        ["groups"] = () => SampleReports.Full(4, 30, 3, groups: true),
        ["one trial"] = () => SampleReports.Full(2, 1, 0),
        ["three failed trials"] = () => SampleReports.Full(2, 3, 3),
        ["one model"] = () => SampleReports.Full(1, 5, 0),
        ["no report split"] = () => SampleReports.Full(3, 5, 0) with { ReportSplit = null, Comparisons = [], Rescored = [] },
        ["hostile names"] = () => Hostile(),
        ["scores that are no numbers"] = () => NoNumbers(),
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_drawing_is_well_formed_and_every_place_in_it_a_number(string sample)
    {
        var html = Html(All[sample]());
        Assert.All(Drawings().Matches(html), drawing =>
        {
            var svg = XElement.Parse(drawing.Value.Replace("&#39;", "'", StringComparison.Ordinal));
            Assert.All(
                svg.Descendants().Attributes().Where(a => a.Name.LocalName is "d" or "x" or "y" or "cx" or "cy" or "width" or "height"),
                a => Assert.Matches(@"^[-0-9.MmLlHhVvAaz ]*$", a.Value));
        });
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_identifier_is_there_once_and_every_reference_leads_to_one(string sample)
    {
        var html = Html(All[sample]());
        string[] ids = [.. Identifiers().Matches(html).Select(m => m.Groups["id"].Value)];
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(References().Matches(html).SelectMany(m => m.Groups["ids"].Value.Split(' ')), id => Assert.Contains(id, ids));
    }

    [Theory]
    [InlineData(0, 2, "searched from 0 to 2")]
    [InlineData(double.NegativeInfinity, double.PositiveInfinity, "begun from 0 to 2, which the search may leave)")]
    [InlineData(-1, 10, "begun from 0 to 2, which the search may leave, never outside −1 … 10)")]
    [InlineData(0, double.PositiveInfinity, "begun from 0 to 2, which the search may leave, never below 0)")]
    [InlineData(double.NegativeInfinity, 10, "begun from 0 to 2, which the search may leave, never above 10)")]
    public void A_range_that_a_search_may_leave_is_not_said_to_hold_it(double minimum, double maximum, string said)
    {
        var full = SampleReports.Full(1, 5, 0);
        var html = Html(full with
        {
            Dimensions = [new SearchDimension("alpha", "alpha", 0, 2) { Minimum = minimum, Maximum = maximum }],
            Trials = [.. full.Trials.Select(t => t with { Point = [2.06] })],
        });
        Assert.Contains(said, html, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_names_stay_text()
    {
        var html = Html(Hostile());
        Assert.Equal(1, html.Split("<script").Length - 1);
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        Assert.Contains("&lt;/script&gt;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_trials_of_two_hundred_models_stay_a_small_file()
    {
        var html = Html(SampleReports.Full(200, 10_000, 900));
        Assert.InRange(html.Length, 100_000, 4_000_000);
        Assert.Contains("The best 200 of 10000 trials", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_data_gives_the_same_file() => Assert.Equal(Html(SampleReports.Full()), Html(SampleReports.Full()));

    [Fact]
    public void What_is_not_known_is_left_out()
    {
        var html = Html(SampleReports.Bare);
        Assert.DoesNotContain("<figure", html, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", WithoutScript(html), StringComparison.Ordinal);
        Assert.Contains("Nothing won", Html(All["three failed trials"]()), StringComparison.Ordinal);
        Assert.Contains("no second split", Html(All["no report split"]()), StringComparison.Ordinal);
    }

    [Fact]
    public void Failures_are_grouped_by_their_reason()
    {
        var html = Html(SampleReports.Full(3, 400, 9));
        Assert.Contains("9 of 400 trials have no score", html, StringComparison.Ordinal);
        Assert.Contains("exit code 137", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Densities_are_added_up_a_layer()
    {
        var html = CurvatureReport.Of(new("mask", [], [new("x", 1)], [
            new("layers.0.a", "layers.0", "a", 100, [10]), new("layers.0.a.bias", "layers.0", "a", 100, [10]),
            new("head", null, "head", 100, [50])]));
        Assert.Contains("<th scope=\"row\">layers.0</th>\n<td>0.1000</td>", html, StringComparison.Ordinal);
        Assert.Contains("In all 0.2333", html, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"densities\"", html, StringComparison.Ordinal);
        Assert.Contains("No tensor has a mask", CurvatureReport.Of(new("mask", [], [], [])), StringComparison.Ordinal);
    }

    [Fact]
    public void Densities_of_several_models_are_drawn_beside_each_other_and_one_by_one()
    {
        var html = CurvatureReport.Of(new("mask", [], [new("x", 2.626e-19f), new("y", 1e-20f)], [
            new("layers.0.a", "layers.0", "a", 100, [10, 20]), new("head", null, "head", 100, [50, 0])]));
        Assert.Contains("<th scope=\"row\">layers.0</th>\n<td>0.1000</td>\n<td>0.2000</td>", html, StringComparison.Ordinal);
        Assert.Contains("<th scope=\"row\">x</th>\n<td>2.626E-19</td>\n<td>0.3000</td>", html, StringComparison.Ordinal);
        Assert.Contains("<figure id=\"parts-1\">", html, StringComparison.Ordinal);
        Assert.Contains("<figure id=\"parts-2\">", html, StringComparison.Ordinal);
    }

    private static string Html(ReportData data) => HtmlReport.Of(data, new ManagedLinearAlgebra());

    private static ReportData Hostile()
    {
        var data = SampleReports.Full(3, 5, 2, i => SampleReports.Hostile + i);
        return data with
        {
            Title = SampleReports.Hostile,
            Recipe = SampleReports.Hostile,
            Searcher = SampleReports.Hostile,
            Objective = SampleReports.Hostile,
            ScoreName = SampleReports.Hostile,
            SelectionSplit = SampleReports.Hostile,
            ReportSplit = SampleReports.Hostile,
            Facts = [(SampleReports.Hostile, SampleReports.Hostile)],
            RebuildCommand = SampleReports.Hostile,
            Warnings = [SampleReports.Hostile],
            Dimensions = [.. data.Dimensions.Select(d => d with { Name = SampleReports.Hostile, Group = SampleReports.Hostile })],
            Trials = [.. data.Trials.Select(t => t with
            {
                Error = SampleReports.Hostile,
                Metrics = new Dictionary<string, double> { [SampleReports.Hostile] = 1 },
            })],
            Comparisons = [.. data.Comparisons.Select(c => c with { Candidate = SampleReports.Hostile, Incumbent = SampleReports.Hostile })],
        };
    }

    private static ReportData NoNumbers()
    {
        var data = SampleReports.Full(4, 60, 3);
        var gram = new Matrix(4, 4);
        gram[2, 2] = double.NaN;
        return data with
        {
            Trials = [.. data.Trials.Select(t => t with
            {
                Objective = t.Index % 3 == 0 ? double.NaN : t.Index % 3 == 1 ? double.NegativeInfinity : t.Objective,
                Point = [.. t.Point.Select((v, i) => i == 1 ? double.NaN : v)],
                Metrics = new Dictionary<string, double> { ["loss"] = double.PositiveInfinity },
                Seconds = double.NaN,
            })],
            Ingredients = [new("a", double.NaN, 0.5), new("b", 1e300, -1e300), new("c", null, null)],
            Baselines = [new("uniform", double.NaN, null)],
            Rescored = [new(1, double.NaN, 0.5), new(2, 0.5, null)],
            Noise = new(0, double.NaN, double.NaN, double.NaN),
            Gram = new(data.Models, gram, true),
        };
    }

    private static string WithoutScript(string html) => html[..html.IndexOf("<script", StringComparison.Ordinal)];

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Drawings();

    [GeneratedRegex("\\bid=\"(?<id>[^\"]*)\"")]
    private static partial Regex Identifiers();

    [GeneratedRegex("aria-labelledby=\"(?<ids>[^\"]*)\"")]
    private static partial Regex References();
}

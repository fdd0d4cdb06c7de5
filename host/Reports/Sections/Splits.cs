using Merge.Reports.Charts;
using Merge.Trust;

namespace Merge.Reports.Sections;

/// <summary>How far what was found can be believed: the other split, the examples, the evaluator's own noise.</summary>
internal static class Splits
{
    public static Markup Of(ReportData data) => Page.Section(
        "trust",
        "How sure is it?",
        Page.Paragraph(data.ReportSplit is null
            ? $"There is no second split: every score here is from the {data.SelectionSplit} split, which also made the choice."
            : ""),
        Intervals(data),
        Rescored(data),
        Page.Paragraph(data.Noise is null ? "" : Verdict.Of(data.Noise)),
        Page.Paragraph(data.Comparisons.Count == 0
            ? "No scores of single examples are known: whether a difference is more than luck cannot be told by a paired bootstrap."
            : ""));

    private static Markup Intervals(ReportData data)
    {
        if (data.Comparisons.Count == 0)
            return Markup.Empty;
        var chart = new RowChart(
            "Differences on the same examples",
            "Mean differences with their bootstrap intervals; the sentences below say the same.",
            "difference of the mean score; right of zero: better",
            [.. data.Comparisons.Select(c => new ChartRow(
                $"vs {c.Incumbent}",
                NumberText.Signed(c.Difference.Mean),
                new RowValue(c.Difference.Mean, Shape(c.Difference), Colour(c.Difference)) { Low = c.Difference.Low, High = c.Difference.High }))])
        {
            HasZero = true,
        };
        var key = chart.LevelKey(
            (Glyph.Diamond.At(12, 7, Tone.Green), "a gain"),
            (Glyph.Circle.At(12, 7, Tone.Grey), "not told apart"),
            (Glyph.Triangle.At(12, 7, Tone.Orange), "a loss"));
        var sentences = Markup.Of($"<ul>{Markup.Lines(data.Comparisons.Select(c => Markup.Of(
            $"<li>{Verdict.Of(c.Difference, c.Candidate, c.Incumbent)} ({c.Metric}, {c.Split} split)</li>")))}</ul>");
        return Markup.Lines(
            Figure.Of("intervals", chart.Draw("intervals"), key, Markup.Of(
                $"Mean differences and intervals of a paired bootstrap over the examples."),
                Figure.Table(
                    ["candidate", "against", "metric", "split", "difference", "low", "high", "P(gain)", "examples"],
                    data.Comparisons.Select(c => new[]
                    {
                        c.Candidate, c.Incumbent, c.Metric, c.Split, NumberText.Signed(c.Difference.Mean), NumberText.Signed(c.Difference.Low),
                        NumberText.Signed(c.Difference.High), NumberText.Of(c.Difference.GainProbability), NumberText.Of(c.Difference.Examples),
                    }))),
            sentences);
    }

    private static Markup Rescored(ReportData data)
    {
        RescoredTrial[] both = [.. data.Rescored.Where(r => double.IsFinite(r.Selection) && r.Report is { } s && double.IsFinite(s))];
        if (data.ReportSplit is not { } split || both.Length == 0)
            return Markup.Empty;
        var ordered = data.Rescored.OrderByDescending(r => r.Selection).ToArray();
        var chart = new XyChart(
            "The best candidates on both splits",
            $"{both.Length} candidates scored on both splits; the table below has the numbers.",
            $"{data.ScoreName}, {data.SelectionSplit} split",
            $"{data.ScoreName}, {split} split",
            [
                new("a candidate", Tone.Blue, [.. both.Where(r => r.Index != data.Best).Select(r => (r.Selection, r.Report!.Value))])
                {
                    Glyph = Glyph.Circle,
                    Hints = [.. both.Where(r => r.Index != data.Best).Select(Hint)],
                },
                new("what won", Tone.Orange, [.. both.Where(r => r.Index == data.Best).Select(r => (r.Selection, r.Report!.Value))])
                {
                    Glyph = Glyph.Diamond,
                    Size = 6,
                    Hints = [.. both.Where(r => r.Index == data.Best).Select(Hint)],
                },
            ])
        {
            HasDiagonal = true,
            IsMap = true,
            Height = 380,
        };
        var drop = both.Average(r => r.Selection - r.Report!.Value);
        return Markup.Lines(
            Figure.Of("rescored", chart.Draw("rescored"), chart.Key(), Markup.Of(
                $"The best of the {data.SelectionSplit} split, scored again on the {split} split. On the dashed line, where the axes reach it, both are equal."),
                Figure.Table(
                    ["trial", data.SelectionSplit, split, "difference"],
                    ordered.Select(r => new[]
                    {
                        NumberText.Of(r.Index), NumberText.Of(r.Selection), NumberText.Of(r.Report), NumberText.Signed(r.Report - r.Selection),
                    }))),
            Page.Paragraph(Verdict.OfWinner([.. both.Select(r => r.Selection)], [.. both.Select(r => r.Report!.Value)])),
            Page.Paragraph($"On average they score {NumberText.Of(Math.Abs(drop))} {(drop > 0 ? "lower" : "higher")} there. "
                + "Some drop is to be expected of what was chosen as the best of many (the winner's curse); the splits may also differ in difficulty."));
    }

    private static string Hint(RescoredTrial trial) =>
        $"trial {trial.Index}: {NumberText.Of(trial.Selection)}, {NumberText.Of(trial.Report)}";

    private static Glyph Shape(PairedDifference difference) =>
        difference.IsGain ? Glyph.Diamond : difference.IsLoss ? Glyph.Triangle : Glyph.Circle;

    private static Tone Colour(PairedDifference difference) =>
        difference.IsGain ? Tone.Green : difference.IsLoss ? Tone.Orange : Tone.Grey;
}

using Merge.Reports.Charts;

namespace Merge.Reports.Sections;

/// <summary>How the single models score, beside what they were merged into.</summary>
internal static class Ingredients
{
    // More rows than that are a column of paper; then a point for each, in their order.
    private const int MostRows = 40;

    public static Markup Of(ReportData data)
    {
        var split = data.ReportSplit;
        if (data.Ingredients.All(i => i.Selection is null && i.Report is null))
            return Markup.Empty;
        ModelScore[] others = [.. data.Result is { } result ? [result] : Array.Empty<ModelScore>(), .. data.Baselines];
        var table = Figure.Table(
            split is null ? ["model", data.SelectionSplit] : ["model", data.SelectionSplit, split],
            others.Concat(data.Ingredients).Select(i => split is null
                ? new[] { i.Name, NumberText.Of(i.Selection) }
                : [i.Name, NumberText.Of(i.Selection), NumberText.Of(i.Report)]));
        return Page.Section("ingredients", "Single models and what they make",
            data.Ingredients.Count > MostRows ? Points(data, others, table) : Rows(data, others, table));
    }

    private static Markup Rows(ReportData data, ModelScore[] others, Markup table)
    {
        var split = data.ReportSplit;
        var chart = new RowChart(
            "Scores of single models and merges",
            $"{data.Ingredients.Count} single models and {others.Length} merges; the table below has the numbers.",
            data.ScoreName,
            [
                .. others.Select(o => Row(o, Tone.Green)),
                .. data.Ingredients.OrderByDescending(i => i.Selection ?? double.NegativeInfinity).Select(i => Row(i, Tone.Blue)),
            ]);
        var key = chart.LevelKey(
        [
            (Glyph.Circle.At(12, 7, Tone.Blue), $"{data.SelectionSplit} split"),
            .. split is null ? Array.Empty<(Markup, string)>() : [(Glyph.Diamond.At(12, 7, Tone.Orange), $"{split} split")],
            (Glyph.Square.At(12, 7, Tone.Green), $"a merge, {data.SelectionSplit} split"),
        ]);
        return Figure.Of("ingredients-chart", chart.Draw("ingredients-chart"), key, Markup.Of(
            $"What won and what it is measured against come first, then the single models, the best of the {data.SelectionSplit} split first.{(split is null ? "" : $" The number is that of the {split} split.")}"), table);

        ChartRow Row(ModelScore model, Tone tone) => new(
            model.Name,
            NumberText.Of(split is null ? model.Selection : model.Report),
            [
                new(model.Selection ?? double.NaN, tone == Tone.Green ? Glyph.Square : Glyph.Circle, tone),
                new(split is null ? double.NaN : model.Report ?? double.NaN, Glyph.Diamond, Tone.Orange),
            ]);
    }

    private static Markup Points(ReportData data, ModelScore[] others, Markup table)
    {
        Func<ModelScore, double?> score = data.ReportSplit is null ? s => s.Selection : s => s.Report;
        var chart = new XyChart(
            "Scores of single models and merges",
            $"{data.Ingredients.Count} single models in the order of the recipe; the table below has the numbers.",
            "model, in the order of the recipe",
            $"{data.ScoreName} ({data.ReportSplit ?? data.SelectionSplit} split)",
            [
                new("a single model", Tone.Blue, [.. data.Ingredients.Index().Select(i => (i.Index + 1.0, score(i.Item) ?? double.NaN))])
                {
                    Glyph = Glyph.Circle,
                    Size = 3,
                    Hints = [.. data.Ingredients.Select(i => $"{i.Name}: {NumberText.Of(score(i))}")],
                },
            ])
        {
            Levels = [.. others.Where(o => score(o) is { } s && double.IsFinite(s)).Take(4)
                .Select((o, i) => new Level(o.Name, score(o)!.Value, i == 0 ? Tone.Green : Tone.Purple))],
        };
        return Figure.Of("ingredients-chart", chart.Draw("ingredients-chart"), chart.Key(), Markup.Of(
            $"Every dot is a single model; the lines are merges of them."), table);
    }
}

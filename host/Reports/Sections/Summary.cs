namespace Merge.Reports.Sections;

/// <summary>What was done, what won, what to be careful about, and how to make the winner again.</summary>
internal static class Summary
{
    public static Markup Of(ReportData data) => Markup.Lines(
        Markup.Of($"<header><h1>{data.Title}</h1></header>"),
        Page.Alert(data.Warnings),
        Page.Paragraph(Outcome(data)),
        Page.Paragraph(Comparison(data)),
        data.RebuildCommand is { } command
            ? Markup.Of($"<p>The command that makes it again:</p>\n<pre id=\"rebuild\">{command}</pre>")
            : Markup.Empty,
        Facts(data));

    private static string Outcome(ReportData data)
    {
        if (data.Result is not { } result)
        {
            return data.Trials.Count > 0 && data.Best is null
                ? "Nothing won: no trial has a score."
                : "";
        }
        var name = data.Best is { } best ? $"{result.Name} (trial {best})" : result.Name;
        return $"What won: {name}. {Capital(data.ScoreName)} on the {data.SelectionSplit} split: "
            + $"{NumberText.Of(result.Selection)}" + (data.ReportSplit is { } split
                ? $"; on the {split} split, which had no say in the choice: {NumberText.Of(result.Report)}."
                : ". There was no second split: this is the score it was chosen for, and so likely a little too good.");
    }

    // Said of the split that did not choose where there is one.
    private static string Comparison(ReportData data)
    {
        if (data.Result is not { } result)
            return "";
        Func<ModelScore, double?> score = data.ReportSplit is null ? s => s.Selection : s => s.Report;
        var known = data.Ingredients.Where(i => score(i) is { } value && double.IsFinite(value)).ToArray();
        if (known.Length == 0 || score(result) is not { } own || !double.IsFinite(own))
            return "";
        var best = known.MaxBy(i => score(i))!;
        var others = data.Baselines.Where(b => score(b) is { } value && double.IsFinite(value))
            .Select(b => $"{b.Name} {NumberText.Of(score(b))} ({NumberText.Signed(own - score(b))})");
        return $"On the {data.ReportSplit ?? data.SelectionSplit} split the best single model, {best.Name}, has {NumberText.Of(score(best))} "
            + $"({NumberText.Signed(own - score(best))} for what won)"
            + string.Concat(others.Select(o => $"; {o}")) + ".";
    }

    private static Markup Facts(ReportData data)
    {
        var failed = data.Trials.Count(t => t.Status != ReportStatus.Ok);
        var seconds = data.Trials.Where(t => double.IsFinite(t.Seconds)).Sum(t => t.Seconds);
        (string, string)[] facts =
        [
            ("searched by", data.Searcher + (data.Seed is { } seed ? $", seed {seed}" : "")),
            ("objective", data.Objective),
            ("models", data.Models.Count == 0 ? "" : $"{data.Models.Count}"),
            ("dimensions", data.Dimensions.Count == 0 ? "" : $"{data.Dimensions.Count(d => !double.IsNaN(d.Low))}"),
            ("trials", data.Trials.Count == 0 ? "" : $"{data.Trials.Count}, of which {failed} failed; evaluations took {NumberText.Duration(seconds)} in all"),
            ("splits", data.ReportSplit is { } split ? $"chosen on {data.SelectionSplit}, reported on {split}" : $"{data.SelectionSplit} only"),
            .. data.Facts,
        ];
        return Markup.Of($"<dl class=\"facts\">{Markup.Lines(facts.Where(f => f.Item2.Length > 0).Select(f =>
            Markup.Of($"<dt>{f.Item1}</dt><dd>{f.Item2}</dd>")))}</dl>");
    }

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}

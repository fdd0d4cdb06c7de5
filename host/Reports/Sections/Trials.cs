using Merge.Reports.Charts;

namespace Merge.Reports.Sections;

/// <summary>The candidates as a table that a reader can sort.</summary>
internal static class Trials
{
    private const int MostRows = 200;
    private const int MostMetrics = 6;
    private const int MostColumnsOfPoint = 8;

    public static Markup Of(ReportData data)
    {
        if (data.Trials.Count == 0)
            return Markup.Empty;
        ReportTrial[] shown = [.. data.Trials
            .OrderByDescending(t => t.Objective is { } o && double.IsFinite(o) ? o : double.NegativeInfinity)
            .ThenBy(t => t.Index)
            .Take(MostRows)];
        string[] metrics = [.. shown.SelectMany(t => t.Metrics.Keys).Distinct().Order(StringComparer.Ordinal).Take(MostMetrics)];
        var wide = data.Dimensions.Count > MostColumnsOfPoint;
        string[] point = wide ? ["values"] : [.. data.Dimensions.Select(d => d.Name)];
        string[] heads = ["trial", "generation", data.ScoreName, .. metrics, "seconds", "state", .. point];
        return Page.Section("trials", "Candidates",
            Page.Paragraph(data.Trials.Count > MostRows
                ? $"The best {MostRows} of {data.Trials.Count} trials; merge trials lists all of them, paper the first 30."
                : $"All {data.Trials.Count} trials, the best first."),
            Page.Paragraph(wide ? "The last column draws the values of each candidate in the order of the dimensions, zero at half its height." : ""),
            Markup.Of($"""
                <div class="wide" tabindex="0"><table class="sortable"><thead><tr>{Markup.Lines(heads.Select(h => Markup.Of($"<th scope=\"col\">{h}</th>")))}</tr></thead>
                <tbody>
                {Markup.Lines(shown.Select(t => Row(t, metrics, wide, data)))}
                </tbody></table></div>
                """));
    }

    private static Markup Row(ReportTrial trial, string[] metrics, bool wide, ReportData data)
    {
        var values = wide
            ? [Sparkline(trial.Point)]
            : trial.Point.Select(v => Figure.Cell(v));
        return Markup.Of($"""
            <tr{(trial.Index == data.Best ? Markup.Of($" class=\"best\"") : Markup.Empty)}>{Markup.Lines(
            [
                Markup.Of($"<th scope=\"row\" data-value=\"{trial.Index}\">{trial.Index}{(trial.Index == data.Best ? " ★" : "")}</th>"),
                Figure.Cell(trial.Generation),
                Figure.Cell(trial.Objective),
                .. metrics.Select(m => Figure.Cell(trial.Metrics.TryGetValue(m, out var value) ? value : null)),
                Figure.Cell(trial.Seconds),
                Markup.Of($"<td>{Failures.Text(trial.Status)}</td>"),
                .. values,
            ])}</tr>
            """);
    }

    private static Markup Sparkline(IReadOnlyList<double> point)
    {
        double[] finite = [.. point.Where(double.IsFinite)];
        var largest = finite.Select(Math.Abs).DefaultIfEmpty(0).Max();
        var step = Math.Min(6, 160.0 / Math.Max(point.Count, 1));
        var bars = largest == 0 ? "" : string.Concat(point.Index().Where(v => double.IsFinite(v.Item)).Select(v =>
            FormattableString.Invariant($"M{(v.Index + 0.5) * step:0.#} 10v{-9 * v.Item / largest:0.#}")));
        var text = finite.Length == 0
            ? "no values"
            : $"{point.Count} values from {NumberText.Of(finite.Min())} to {NumberText.Of(finite.Max())}";
        return Markup.Of(
            $"<td data-value=\"\"><svg role=\"img\" aria-label=\"{text}\" width=\"{(step * point.Count) + 2:0}\" height=\"20\"><path d=\"{bars}\"/></svg></td>");
    }
}

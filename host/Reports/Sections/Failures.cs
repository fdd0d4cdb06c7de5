using Merge.Reports.Charts;

namespace Merge.Reports.Sections;

/// <summary>The trials that have no score, by their reasons.</summary>
internal static class Failures
{
    private const int MostReasons = 20;
    private const int MostTrials = 10;
    private const int LongestReason = 2000;

    public static Markup Of(ReportData data)
    {
        var reasons = data.Trials.Where(t => t.Status != ReportStatus.Ok)
            .GroupBy(t => (t.Status, Error: t.Error ?? ""))
            .OrderByDescending(g => g.Count())
            .ToArray();
        if (reasons.Length == 0)
            return Markup.Empty;
        var left = reasons.Skip(MostReasons).Sum(g => g.Count());
        var failed = reasons.Sum(g => g.Count());
        return Page.Section("failures", "Failed trials",
            Page.Paragraph($"{failed} of {data.Trials.Count} trials have no score. They are never chosen."),
            Markup.Of($"""
                <div class="wide" tabindex="0"><table><thead><tr><th scope="col">what</th><th scope="col">trials</th><th scope="col" class="text">which</th><th scope="col" class="text">reason</th></tr></thead>
                <tbody>
                {Markup.Lines(reasons.Take(MostReasons).Select(Row))}
                </tbody></table></div>
                """),
            Page.Paragraph(left == 0 ? "" : $"{left} more failed for {reasons.Length - MostReasons} other reasons: merge trials lists them."));
    }

    public static string Text(ReportStatus status) => status switch
    {
        ReportStatus.Ok => "ok",
        ReportStatus.TimedOut => "timed out",
        ReportStatus.NotANumber => "score is no number",
        _ => "failed",
    };

    private static Markup Row(IGrouping<(ReportStatus Status, string Error), ReportTrial> group)
    {
        var which = string.Join(", ", group.Take(MostTrials).Select(t => t.Index)) + (group.Count() > MostTrials ? " …" : "");
        var reason = group.Key.Error.Length == 0 ? "no reason given" : Figure.Short(group.Key.Error, LongestReason);
        return Markup.Of(
            $"<tr><th scope=\"row\">{Text(group.Key.Status)}</th><td>{group.Count()}</td><td class=\"text\">{which}</td><td class=\"text\">{reason}</td></tr>");
    }
}

using Merge.Reports.Charts;

namespace Merge.Reports.Sections;

/// <summary>Every trial's score, and the best so far.</summary>
internal static class Convergence
{
    // Of so many trials the worst twentieth may lie below the axis, so that the rest is not squeezed together.
    private const int Many = 40;

    public static Markup Of(ReportData data)
    {
        ReportTrial[] scored = [.. data.Trials.Where(t => t.Objective is { } o && double.IsFinite(o))];
        if (scored.Length == 0)
            return Markup.Empty;
        var failed = data.Trials.Where(t => t.Status != ReportStatus.Ok).ToArray();
        var best = BestSoFar(scored, data.Trials[^1].Index);
        var floor = Floor(scored);
        var low = Math.Max(scored.Min(t => t.Objective!.Value), floor ?? double.NegativeInfinity);
        var levels = Levels(data).Where(l => !(l.Y < floor)).ToArray();
        var chart = new XyChart(
            "Convergence",
            $"{scored.Length} trials with a score, the best {NumberText.Of(best[^1].Y)}, reached at trial {FirstOfBest(best)}.",
            "trial",
            $"{data.ScoreName} ({data.SelectionSplit} split)",
            [
                new("a trial", Tone.Grey, [.. scored.Select(t => ((double)t.Index, t.Objective!.Value))])
                {
                    Glyph = Glyph.Circle,
                    Size = scored.Length > 300 ? 2 : 3,
                    Hints = [.. scored.Select(t => $"trial {t.Index}: {NumberText.Of(t.Objective)}")],
                },
                new("the best so far", Tone.Blue, best) { Joined = Joined.Steps },
                .. failed.Length == 0 ? Array.Empty<Series>() :
                [
                    new("a failed trial", Tone.Orange, [.. failed.Select(t => ((double)t.Index, low))])
                    {
                        Glyph = Glyph.Cross,
                        Size = 3,
                        Hints = [.. failed.Select(t => $"trial {t.Index}: {Failures.Text(t.Status)}")],
                    },
                ],
            ])
        {
            Levels = levels,
            Floor = floor,
        };
        var below = scored.Count(t => t.Objective < floor);
        var caption = Markup.Of($"""
            Each dot is a trial, the line the best score so far{(below == 0 ? "" : $"; {below} trials below the axis are triangles at its edge")}.{(scored.Length > 1500 ? " Of dots that would cover each other one is drawn." : "")}
            """);
        return Page.Section("convergence", "Convergence", Figure.Of("convergence-chart", chart.Draw("convergence-chart"), chart.Key(), caption, Figure.Table(
            ["trial", $"best {data.ScoreName} so far"],
            best.Index().Where(p => p.Index == 0 || p.Item.Y > best[p.Index - 1].Y)
                .Select(p => new[] { NumberText.Of(p.Item.X), NumberText.Of(p.Item.Y) }))));
    }

    private static IEnumerable<Level> Levels(ReportData data)
    {
        var single = data.Ingredients.Where(i => i.Selection is { } s && double.IsFinite(s)).MaxBy(i => i.Selection);
        if (single is not null)
            yield return new("the best single model", single.Selection!.Value, Tone.Green);
        foreach (var other in data.Baselines.Where(b => b.Selection is { } s && double.IsFinite(s)).Take(3))
            yield return new(other.Name, other.Selection!.Value, Tone.Purple);
    }

    // Only where it rises, and once more at the end.
    private static List<(double X, double Y)> BestSoFar(ReportTrial[] scored, int last)
    {
        var steps = new List<(double X, double Y)>();
        foreach (var trial in scored)
        {
            if (steps.Count == 0 || trial.Objective > steps[^1].Y)
                steps.Add((trial.Index, trial.Objective!.Value));
        }
        if (last > steps[^1].X)
            steps.Add((last, steps[^1].Y));
        return steps;
    }

    private static int FirstOfBest(List<(double X, double Y)> best) => (int)best.First(p => p.Y == best[^1].Y).X;

    private static double? Floor(ReportTrial[] scored)
    {
        if (scored.Length < Many)
            return null;
        double[] sorted = [.. scored.Select(t => t.Objective!.Value).Order()];
        var (lowest, fifth, top) = (sorted[0], sorted[sorted.Length / 20], sorted[^1]);
        return top - lowest > 2 * (top - fifth) ? fifth : null;
    }
}

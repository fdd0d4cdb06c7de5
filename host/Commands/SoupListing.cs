using System.Globalization;
using Merge.Search;

namespace Merge.Commands;

/// <summary>What a finished soup says: every decision, and what it was worth.</summary>
internal static class SoupListing
{
    public static void Print(Terminal terminal, SearchSession session, SoupJob job, SearchOutcome outcome, TimeSpan time)
    {
        if (terminal.IsJson)
        {
            if (outcome.Best is not null)
                PrintJson(terminal, session, job, outcome);
            return;
        }
        if (job.Steps.Count > 0)
        {
            var table = new TerminalTable("step", "model", "its score", "soup with it", "kept");
            foreach (var (number, step) in job.Steps.Index())
            {
                table.Add(
                    (number + 1).ToString(CultureInfo.InvariantCulture), session.Planned.ModelNames[step.Model],
                    Number(step.Own.Objective), step.With is null ? "not tried: it has no score" : Number(step.With.Objective),
                    step.IsKept ? "yes" : "no");
            }
            table.Write(terminal);
            var kept = job.Steps.Count(s => s.IsKept);
            terminal.Line($"{kept} of {job.Steps.Count} model{(job.Steps.Count == 1 ? "" : "s")} {(kept == 1 ? "is" : "are")} in the soup");
            terminal.Line();
        }
        SearchListing.Print(terminal, session, outcome, time);
    }

    private static string Number(double? value) => value?.ToString("0.#####", CultureInfo.InvariantCulture) ?? "–";

    private static void PrintJson(Terminal terminal, SearchSession session, SoupJob job, SearchOutcome outcome) => terminal.Json(json =>
    {
        SearchListing.Write(json, session, outcome);
        json.WriteStartArray("steps");
        foreach (var step in job.Steps)
        {
            json.WriteStartObject();
            json.WriteString("model", session.Planned.ModelNames[step.Model]);
            ValueText.Write(json, "score", step.Own.Objective);
            ValueText.Write(json, "soup", step.With?.Objective);
            json.WriteBoolean("kept", step.IsKept);
            if (step.Difference is { } difference)
                json.WriteNumber("gain_probability", difference.GainProbability);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}

using System.Globalization;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Search;

namespace Merge.Commands;

/// <summary>What <c>merge search --dry-run</c> prints: what may be chosen, and how it would be scored.</summary>
internal static class SpaceListing
{
    public static void Print(Terminal terminal, PlannedSpace planned, Recipe recipe)
    {
        var search = recipe.Search!;
        foreach (var warning in planned.Plan.Warnings)
            terminal.Warn(warning);
        if (terminal.IsJson)
        {
            PrintJson(terminal, planned, recipe);
            return;
        }
        terminal.Line($"{planned.Plan.Strategy.Info.Name} ({planned.Plan.Strategy.Info.Id}) of {planned.Plan.Models.Count} model{(planned.Plan.Models.Count == 1 ? "" : "s")}; "
            + $"{Numbers(planned.Space.Dimensions.Count)} searched by {search.Searcher}, {search.Trials} trials, seed {search.Seed}");
        terminal.Line($"objective  {recipe.Objective?.ToString() ?? "none given"}");
        terminal.Line($"splits     chosen on '{recipe.Splits.Selection}', "
            + (recipe.Splits.Report is null ? "nothing to report on" : $"reported on '{recipe.Splits.Report}'"));
        foreach (var (index, name) in planned.ModelNames.Index())
            terminal.Line($"model {index,-4} {name}");
        terminal.Line();
        var table = new TerminalTable("number", "from", "to", "never outside", "begins at");
        foreach (var (dimension, start) in planned.Space.Dimensions.Zip(planned.Space.Start()))
        {
            table.Add(
                dimension.Name, Text(dimension.Low), Text(dimension.High),
                double.IsInfinity(dimension.Minimum) && double.IsInfinity(dimension.Maximum)
                    ? "" : $"{Text(dimension.Minimum)} … {Text(dimension.Maximum)}",
                dimension.Start is null ? $"{Text(start)} *" : Text(start));
        }
        table.Write(terminal);
        if (planned.Space.Dimensions.Any(d => d.Start is null))
            terminal.Line("*: the recipe gives no value; a searcher begins there, unless it has a way of its own");
        if (planned.Space.Dimensions.Any(d => d.Minimum < d.Low || d.Maximum > d.High))
            terminal.Line("'from' and 'to' are where the search begins; it may leave them, but never what 'never outside' says");
    }

    private static string Numbers(int count) => count == 1 ? "1 number is" : $"{count} numbers are";

    private static string Text(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static void PrintJson(Terminal terminal, PlannedSpace planned, Recipe recipe) => terminal.Json(json =>
    {
        json.WriteString("method", planned.Plan.Strategy.Info.Id);
        json.WriteString("searcher", recipe.Search!.Searcher);
        json.WriteNumber("trials", recipe.Search.Trials);
        json.WriteString("objective", recipe.Objective?.ToString());
        json.WriteStartArray("models");
        foreach (var name in planned.ModelNames)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartArray("space");
        foreach (var (dimension, start) in planned.Space.Dimensions.Zip(planned.Space.Start()))
        {
            json.WriteStartObject();
            json.WriteString("name", dimension.Name);
            json.WriteNumber("low", dimension.Low);
            json.WriteNumber("high", dimension.High);
            json.WriteString("scale", dimension.Scale is SearchScale.Linear ? "linear" : "log");
            json.WriteBoolean("integer", dimension.IsInteger);
            ValueText.Write(json, "minimum", dimension.Minimum);
            ValueText.Write(json, "maximum", dimension.Maximum);
            ValueText.Write(json, "start", dimension.Start);
            json.WriteNumber("begins_at", start);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}

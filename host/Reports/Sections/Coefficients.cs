using Merge.Reports.Charts;
using Merge.Sdk;

namespace Merge.Reports.Sections;

/// <summary>What the search chose for the best trial.</summary>
internal static class Coefficients
{
    private const int MostBars = 40;

    public static Markup Of(ReportData data)
    {
        var best = data.Trials.FirstOrDefault(t => t.Index == data.Best);
        if (best is null || best.Point.Count != data.Dimensions.Count)
            return Markup.Empty;
        var parts = data.Dimensions.Zip(best.Point, (dimension, value) => (Dimension: dimension, Value: value))
            .GroupBy(p => p.Dimension.Parameter)
            .Select((group, i) => Parameter([.. group], data, $"coefficients-{i}", group.Key))
            .ToArray();
        return Page.Section("coefficients", $"What the best trial ({best.Index}) chose", parts);
    }

    private static Markup Parameter(
        (SearchDimension Dimension, double Value)[] values, ReportData data, string id, string name)
    {
        if (values.Length == 1)
            return Page.Paragraph($"{values[0].Dimension.Name}: {NumberText.Of(values[0].Value)} ({Range(values[0].Dimension)})");
        int?[] models = [.. values.Select(v => v.Dimension.Model).Distinct()];
        string?[] groups = [.. values.Select(v => v.Dimension.Group).Distinct()];
        if (models.Length > 1 && groups.Length > 1)
            return Map(values, models, groups, data, id, name);
        return values.Length > MostBars ? Stems(values, data, id, name) : Bars(values, data, id, name);
    }

    private static string Range(SearchDimension dimension)
    {
        var range = $"from {NumberText.Of(dimension.Low)} to {NumberText.Of(dimension.High)}";
        return MayLeave(dimension) ? $"begun {range}, which the search may leave{Never(dimension)}" : $"searched {range}";
    }

    private static string Never(SearchDimension dimension) =>
        (double.IsFinite(dimension.Minimum), double.IsFinite(dimension.Maximum)) switch
        {
            (true, true) => $", never outside {NumberText.Of(dimension.Minimum)} … {NumberText.Of(dimension.Maximum)}",
            (true, false) => $", never below {NumberText.Of(dimension.Minimum)}",
            (false, true) => $", never above {NumberText.Of(dimension.Maximum)}",
            _ => "",
        };

    private static bool MayLeave(SearchDimension dimension) => dimension.Minimum < dimension.Low || dimension.Maximum > dimension.High;

    private static Markup Bars(
        (SearchDimension Dimension, double Value)[] values, ReportData data, string id, string name)
    {
        var chart = new RowChart(
            name,
            $"{values.Length} values of {name}, from {NumberText.Of(values.Min(v => v.Value))} to {NumberText.Of(values.Max(v => v.Value))}.",
            name,
            [.. values.Select(v => new ChartRow(
                Label(v.Dimension, data), NumberText.Of(v.Value), new RowValue(v.Value, Glyph.Square, v.Value < 0 ? Tone.Orange : Tone.Blue)))])
        {
            HasBars = true,
        };
        return Figure.Of(id, chart.Draw(id), Markup.Empty, Markup.Of($"{Sum(values, name)}"), Table(values, data, name));
    }

    private static Markup Stems(
        (SearchDimension Dimension, double Value)[] values, ReportData data, string id, string name)
    {
        var chart = new XyChart(
            name,
            $"{values.Length} values of {name}, from {NumberText.Of(values.Min(v => v.Value))} to {NumberText.Of(values.Max(v => v.Value))}.",
            "in the order of the recipe",
            name,
            [
                new(name, Tone.Blue, [.. values.Select((v, i) => (i + 1.0, v.Value))])
                {
                    Glyph = Glyph.Circle,
                    Size = 2.5,
                    Joined = Joined.ToZero,
                    Hints = [.. values.Select(v => $"{Label(v.Dimension, data)}: {NumberText.Of(v.Value)}")],
                },
            ]);
        return Figure.Of(id, chart.Draw(id), Markup.Empty, Markup.Of($"{Sum(values, name)}"), Table(values, data, name));
    }

    private static Markup Map(
        (SearchDimension Dimension, double Value)[] values, int?[] models, string?[] groups, ReportData data, string id, string name)
    {
        var known = values.ToDictionary(v => (v.Dimension.Model ?? -1, v.Dimension.Group ?? ""), v => v.Value);
        var map = new HeatMap(
            name,
            $"{name} of {models.Length} models in {groups.Length} groups of layers or modules.",
            [.. models.Select(m => ModelName(m, data))],
            [.. groups.Select(g => g ?? "all")],
            (i, j) => known.GetValueOrDefault((models[i] ?? -1, groups[j] ?? ""), double.NaN));
        return Figure.Of(id, map.Draw(id), map.Key(), Markup.Of($"{name}: a row a model, a column a group of layers or modules.{(
            values.Any(v => double.IsNaN(v.Dimension.Low)) ? " The first model's is not searched: it is 1 minus the others." : "")}"), map.Table());
    }

    private static string Sum((SearchDimension Dimension, double Value)[] values, string name) =>
        values.Any(v => v.Dimension.Model is not null)
            ? $"{name} a model; they add up to {NumberText.Of(values.Sum(v => v.Value))}."
                + (values.Any(v => double.IsNaN(v.Dimension.Low)) ? " The first model's is not searched: it is 1 minus the others." : "")
            : $"{name}.";

    private static Markup Table((SearchDimension Dimension, double Value)[] values, ReportData data, string name) =>
        Figure.Table(
            ["", name, values.Any(v => MayLeave(v.Dimension)) ? "begun from" : "searched from", "to"],
            values.Select(v => new[]
            {
                Label(v.Dimension, data), NumberText.Of(v.Value), NumberText.Of(v.Dimension.Low), NumberText.Of(v.Dimension.High),
            }));

    private static string Label(SearchDimension dimension, ReportData data) => (dimension.Model, dimension.Group) switch
    {
        (null, null) => dimension.Name,
        (null, { } group) => group,
        ({ } model, null) => ModelName(model, data),
        ({ } model, { } group) => $"{ModelName(model, data)}, {group}",
    };

    private static string ModelName(int? model, ReportData data) => model switch
    {
        null => "all models",
        { } index when index < data.Models.Count => data.Models[index],
        { } index => $"model {index}",
    };
}

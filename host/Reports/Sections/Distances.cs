using Merge.Reports.Charts;
using Merge.Sdk;

namespace Merge.Reports.Sections;

/// <summary>Where the ingredients lie: a map of their task vectors, and the angles between them.</summary>
internal static class Distances
{
    private const int MostLabels = 40;
    private const int MostInTable = 60;

    public static Markup Of(ReportData data, ILinearAlgebra algebra)
    {
        if (data.Gram is not { Names.Count: > 1 } gram)
            return Markup.Empty;
        return ClassicalMds.Of(gram.Products, algebra) is not { } map
            ? Page.Section("distances", "Distances", Page.Paragraph(
                "A model has weights that are no numbers: there are no distances between the models."))
            : Page.Section("distances", "How far apart the models are", Map(data, gram, map), Cosines(gram));
    }

    private static Markup Map(ReportData data, TaskVectorGram gram, PlaneMap map)
    {
        var labelled = gram.Names.Count <= MostLabels;
        var prefix = labelled ? CommonStart(gram.Names) : "";
        string[] names = [.. gram.Names.Select(n => Figure.Short(n[prefix.Length..], 20))];
        var scores = data.Ingredients.GroupBy(i => i.Name)
            .ToDictionary(g => g.Key, g => data.ReportSplit is null ? g.First().Selection : g.First().Report);
        var chart = new XyChart(
            "Map of the models",
            $"{gram.Names.Count} models as points of a plane that shows {map.Shares.X + map.Shares.Y:0%} of their squared distances.",
            $"first axis ({map.Shares.X:0%})",
            $"second axis ({map.Shares.Y:0%})",
            [
                new("a model", Tone.Blue, map.Points)
                {
                    Glyph = Glyph.Circle,
                    Labels = labelled ? names : [],
                    Hints = [.. gram.Names.Select(n => scores.GetValueOrDefault(n) is { } s ? $"{n}: {NumberText.Of(s)}" : n)],
                },
            ])
        {
            IsMap = true,
            Height = 420,
        };
        var caption = Markup.Of(
            $"Classical multidimensional scaling of the task vectors: near points have near weights. The plane shows {map.Shares.X + map.Shares.Y:0%} of the squared distances from the mean; where that is little, points that look near need not be.{(prefix.Length == 0 ? "" : $" All names begin with “{prefix}”.")}");
        return Figure.Of("map", chart.Draw("map"), Markup.Empty, caption, gram.Names.Count > MostInTable
            ? Figure.Table(["model", "first axis", "second axis"], gram.Names.Select((n, i) =>
                new[] { n, NumberText.Of(map.Points[i].X), NumberText.Of(map.Points[i].Y) }))
            : Figure.Table(["distance", .. gram.Names], gram.Names.Select((n, i) => gram.Names
                .Select((_, j) => NumberText.Of(ClassicalMds.Distance(gram.Products, i, j))).Prepend(n))));
    }

    private static Markup Cosines(TaskVectorGram gram)
    {
        var products = gram.HasBase ? gram.Products : ClassicalMds.Centred(gram.Products);
        var map = new HeatMap(
            "Cosines of the models' task vectors",
            $"{gram.Names.Count} by {gram.Names.Count} cosines.",
            gram.Names,
            gram.Names,
            (i, j) => ClassicalMds.Cosine(products, i, j))
        {
            Full = 1,
        };
        var table = gram.Names.Count > MostInTable ? Page.Paragraph("Too many for a table.") : map.Table();
        return Figure.Of("cosines", map.Draw("cosines"), map.Key(), Markup.Of(
            $"Cosines between task vectors, {(gram.HasBase ? "differences to the base" : "taken around the mean of the models, as there is no base: then they are negative on average")}. 1: the same direction; 0: nothing in common."), table);
    }

    private static string CommonStart(IReadOnlyList<string> names)
    {
        var length = names.Min(n => n.Length) - 1;
        while (length > 0 && names.Any(n => string.CompareOrdinal(n, 0, names[0], 0, length) != 0))
            length--;
        return length >= 4 ? names[0][..length] : "";
    }
}

using Merge.Reports.Charts;

namespace Merge.Reports;

/// <summary>What of a tensor the masks keep.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Layer">Its layer, as rows of a chart are named; null outside the layers.</param>
/// <param name="Part">What it is within its layer, for example <c>mlp.up_proj</c>.</param>
/// <param name="Count">Elements.</param>
/// <param name="Kept">Of each model, the elements its mask keeps.</param>
internal sealed record TensorDensity(string Tensor, string? Layer, string Part, long Count, IReadOnlyList<long> Kept);

/// <summary>A model and what decides its mask.</summary>
/// <param name="Name">As the recipe names it.</param>
/// <param name="Threshold">The lowest saliency that stays.</param>
internal sealed record MaskedModel(string Name, float Threshold);

/// <summary>Densities of masks over models of one shape.</summary>
/// <param name="Title">The page's.</param>
/// <param name="Facts">What was asked for.</param>
/// <param name="Models">The models.</param>
/// <param name="Tensors">Layers come in the order of their first tensor.</param>
internal sealed record CurvatureReportData(
    string Title,
    IReadOnlyList<(string Name, string Value)> Facts,
    IReadOnlyList<MaskedModel> Models,
    IReadOnlyList<TensorDensity> Tensors);

/// <summary>Which parts of a model keep their edits: one HTML file that needs nothing else.</summary>
internal static class CurvatureReport
{
    private const int MostRows = 500;
    private const string Outside = "outside layers";

    public static string Of(CurvatureReportData data) => Page.Of(data.Title, Markup.Lines(
        Markup.Of($"<header><h1>{data.Title}</h1></header>"),
        Markup.Of($"<dl class=\"facts\">{Markup.Lines(data.Facts.Select(f => Markup.Of($"<dt>{f.Name}</dt><dd>{f.Value}</dd>")))}</dl>"),
        data.Tensors.Count == 0 ? Page.Paragraph("No tensor has a mask.") : Sections(data)));

    private static Markup Sections(CurvatureReportData data)
    {
        string?[] layers = [.. data.Tensors.Select(t => t.Layer).Distinct().OrderBy(l => l is null)];
        return Markup.Lines(
            Page.Section("models", "Thresholds", Thresholds(data)),
            Page.Section("layers", "By layer", data.Models.Count > 1 ? Layers(data, layers) : Markup.Empty, Parts(data, layers)),
            Page.Section("tensors", "By tensor", Tensors(data)));
    }

    private static Markup Thresholds(CurvatureReportData data) => Markup.Of($"<div class=\"wide\" tabindex=\"0\">{Figure.Table(
        ["model", "precond_threshold", "share kept"],
        // All its digits: what is copied into a recipe keeps what it kept here.
        data.Models.Select((m, i) => new[] { m.Name, m.Threshold.ToString("R"), NumberText.Of(Density(data.Tensors, i)) }))}</div>");

    private static Markup Layers(CurvatureReportData data, string?[] layers)
    {
        var groups = data.Tensors.ToLookup(t => t.Layer);
        var map = new HeatMap(
            "Share of its edits that every layer keeps",
            $"Densities of {layers.Length} layers in {data.Models.Count} models; the table below has the numbers.",
            [.. layers.Select(l => l ?? Outside)],
            [.. data.Models.Select(m => m.Name)],
            (i, j) => Density(groups[layers[i]], j));
        return Figure.Of("densities", map.Draw("densities"), map.Key(), Markup.Of(
            $"Share of its edits that stay: a row a layer, a column a model. Rows that are strong in one column alone are what that model's task needs."), map.Table());
    }

    private static Markup Parts(CurvatureReportData data, string?[] layers)
    {
        var groups = data.Tensors.ToLookup(t => (t.Layer, Part: PartOf(t)));
        string[] parts = [.. data.Tensors.Where(t => t.Layer is not null).Select(PartOf).Distinct().Order(StringComparer.Ordinal)];
        if (layers[^1] is null)
            parts = [.. parts, ""];
        // One scale for all models, so that their charts can be compared.
        var full = data.Models.SelectMany((_, k) => groups.Select(g => Density(g, k))).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        return Markup.Lines(data.Models.Select((model, k) =>
        {
            var map = new HeatMap(
                $"Where {model.Name} keeps its edits",
                $"Densities of {layers.Length} layers and {parts.Length} kinds of tensors; the table below has the numbers.",
                [.. layers.Select(l => l ?? Outside)],
                [.. parts.Select(p => p.Length == 0 ? "all" : p)],
                (i, j) => Density(groups[(layers[i], parts[j])], k))
            {
                Full = full,
            };
            var figure = Figure.Of($"parts-{k + 1}", map.Draw($"parts-{k + 1}"), map.Key(), Markup.Of(
                $"Share of its edits that stay: a row a layer, a column a kind of tensor. In all {NumberText.Of(Density(data.Tensors, k))}."), map.Table());
            return Markup.Lines(Markup.Of($"<h3>{model.Name}</h3>"), figure);
        }));
    }

    private static string PartOf(TensorDensity tensor) => tensor.Layer is null ? "" : tensor.Part;

    private static Markup Tensors(CurvatureReportData data) => Markup.Lines(
        Page.Paragraph(data.Tensors.Count > MostRows ? $"The first {MostRows} of {data.Tensors.Count} tensors." : ""),
        Markup.Of($"<div class=\"wide\" tabindex=\"0\">{Figure.SortableTable(
            ["tensor", "elements", .. data.Models.Select(m => m.Name)],
            data.Tensors.Take(MostRows).Select(t => (
                t.Tensor, (IReadOnlyList<double?>)[t.Count, .. data.Models.Select((_, k) => (double?)Density([t], k))])))}</div>"));

    private static double Density(IEnumerable<TensorDensity> tensors, int model)
    {
        var (kept, count) = (0L, 0L);
        foreach (var tensor in tensors)
            (kept, count) = (kept + tensor.Kept[model], count + tensor.Count);
        return count == 0 ? double.NaN : (double)kept / count;
    }
}

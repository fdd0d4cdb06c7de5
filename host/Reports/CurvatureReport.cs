using Merge.Reports.Charts;

namespace Merge.Reports;

/// <summary>What share of a tensor a mask keeps.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Layer">Its layer; null outside the layers.</param>
/// <param name="Part">What it is within its layer, or its name outside, for example <c>mlp.up_proj</c>.</param>
/// <param name="Kept">Elements kept.</param>
/// <param name="Count">Elements.</param>
internal sealed record TensorDensity(string Tensor, int? Layer, string Part, long Kept, long Count)
{
    public double Density => Count == 0 ? double.NaN : (double)Kept / Count;
}

/// <summary>Densities of a mask over a model.</summary>
internal sealed record CurvatureReportData(string Title, IReadOnlyList<(string Name, string Value)> Facts, IReadOnlyList<TensorDensity> Tensors);

/// <summary>Where a mask keeps weights: one HTML file that needs nothing else.</summary>
internal static class CurvatureReport
{
    private const int MostRows = 500;

    /// <summary>Writes it, over what is there.</summary>
    public static void Write(CurvatureReportData data, string path) => File.WriteAllText(path, Of(data));

    public static string Of(CurvatureReportData data) => Page.Of(data.Title, Markup.Lines(
        Markup.Of($"<header><h1>{data.Title}</h1></header>"),
        Markup.Of($"<dl class=\"facts\">{Markup.Lines(data.Facts.Select(f => Markup.Of($"<dt>{f.Name}</dt><dd>{f.Value}</dd>")))}</dl>"),
        data.Tensors.Count == 0 ? Page.Paragraph("No tensor has a mask.") : Page.Section("layers", "By layer", Layers(data)),
        data.Tensors.Count == 0 ? Markup.Empty : Page.Section("tensors", "By tensor", Table(data))));

    private static Markup Layers(CurvatureReportData data)
    {
        var groups = data.Tensors.ToLookup(t => (t.Layer, Part: t.Layer is null ? "" : t.Part));
        int?[] layers = [.. data.Tensors.Select(t => t.Layer).Distinct().OrderBy(l => l ?? int.MaxValue)];
        string[] parts = [.. data.Tensors.Where(t => t.Layer is not null).Select(t => t.Part).Distinct().Order(StringComparer.Ordinal), ""];
        if (layers is [.., not null])
            parts = parts[..^1];
        var map = new HeatMap(
            "Share of the weights that are kept",
            $"Densities of {layers.Length} layers and {parts.Length} kinds of tensors.",
            [.. layers.Select(l => l is { } layer ? $"layer {layer}" : "outside layers")],
            [.. parts.Select(p => p.Length == 0 ? "other" : p)],
            (i, j) => Density(groups[(layers[i], parts[j])]));
        return Figure.Of("densities", map.Draw("densities"), map.Key(), Markup.Of(
            $"Share of the weights that the mask keeps: a row a layer, a column a kind of tensor. In all {NumberText.Of(Density(data.Tensors))}."), map.Table());
    }

    private static Markup Table(CurvatureReportData data) => Markup.Lines(
        Page.Paragraph(data.Tensors.Count > MostRows ? $"The first {MostRows} of {data.Tensors.Count} tensors." : ""),
        Markup.Of($"<div class=\"wide\" tabindex=\"0\">{Figure.SortableTable(["tensor", "density", "kept", "elements"], data.Tensors.Take(MostRows).Select(t =>
            (t.Tensor, (IReadOnlyList<double?>)[t.Density, t.Kept, t.Count])))}</div>"));

    private static double Density(IEnumerable<TensorDensity> tensors)
    {
        var (kept, count) = (0L, 0L);
        foreach (var tensor in tensors)
            (kept, count) = (kept + tensor.Kept, count + tensor.Count);
        return count == 0 ? double.NaN : (double)kept / count;
    }
}

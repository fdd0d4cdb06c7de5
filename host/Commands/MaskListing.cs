using System.Globalization;
using System.Text.Json;
using Merge.Curvature;

namespace Merge.Commands;

/// <summary>What <c>merge curvature threshold</c> prints: thresholds, and the share of its edits every layer keeps.</summary>
internal static class MaskListing
{
    public static void Print(Terminal terminal, MaskDensities masks, string? report)
    {
        if (terminal.IsJson)
        {
            terminal.Json(json => Write(json, masks, report));
            return;
        }
        var models = new TerminalTable("model", "precond_threshold", "keeps");
        foreach (var (i, model) in masks.Models.Index())
            models.Add(model, Number(masks.Thresholds[i]), Percent(masks.Kept(i)));
        models.Write(terminal);
        terminal.Line();
        var layers = new TerminalTable(["edits kept of", "elements", .. masks.Models]);
        foreach (var layer in masks.Layers.InNaturalOrder(l => l.Layer))
            layers.Add([layer.Layer, $"{layer.Count}", .. layer.Densities.Select(Percent)]);
        layers.Write(terminal);
        if (report is not null)
            terminal.Line(report);
    }

    private static void Write(Utf8JsonWriter json, MaskDensities masks, string? report)
    {
        if (report is not null)
            json.WriteString("report", report);
        json.WriteNumber("density", masks.Density);
        json.WriteNumber("elements", masks.Count);
        json.WriteStartArray("models");
        foreach (var (i, model) in masks.Models.Index())
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteNumber("precond_threshold", masks.Thresholds[i]);
            json.WriteNumber("kept", masks.Kept(i));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Write(json, "layers", masks.Layers, l => l.Layer, l => l.Count, l => l.Densities);
        Write(
            json, "tensors", masks.Tensors, t => t.Name, t => t.Count, t => [.. t.Kept.Select(kept => (double)kept / t.Count)]);
    }

    private static void Write<T>(
        Utf8JsonWriter json,
        string name,
        IEnumerable<T> parts,
        Func<T, string> nameOf,
        Func<T, long> count,
        Func<T, IReadOnlyList<double>> densities)
    {
        json.WriteStartArray(name);
        foreach (var part in parts)
        {
            json.WriteStartObject();
            json.WriteString("name", nameOf(part));
            json.WriteNumber("elements", count(part));
            json.WriteStartArray("kept");
            foreach (var density in densities(part))
                json.WriteNumberValue(density);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // So that reading it back gives the same float32.
    private static string Number(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.00} %");
}

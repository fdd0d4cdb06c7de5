using System.Text.Json;
using Merge.Checkpoints;
using Merge.Merging;

namespace Merge.Commands;

/// <summary>What <c>merge inspect</c> says of two checkpoints.</summary>
internal static class ComparisonListing
{
    public static void Print(Terminal terminal, Checkpoint a, Checkpoint b, CheckpointComparison comparison)
    {
        if (terminal.IsJson)
        {
            PrintJson(terminal, comparison);
            return;
        }
        terminal.Line($"a: {a.Path}");
        terminal.Line($"b: {b.Path}");
        List(terminal, "only in a", comparison.OnlyA);
        List(terminal, "only in b", comparison.OnlyB);
        List(terminal, "of another shape", [.. comparison.Shapes.Select(s =>
            $"{s.A.Name} [{string.Join(", ", s.A.Shape)}] and [{string.Join(", ", s.B.Shape)}]")]);
        List(terminal, "of another dtype", [.. comparison.DTypes.Select(s => $"{s.A.Name} {s.A.DType} and {s.B.DType}")]);
        List(terminal, "integers or codes that differ", comparison.OtherBytes);
        terminal.Line();
        var table = new TerminalTable("tensor", "‖a‖", "‖b‖", "‖b − a‖", "cosine");
        foreach (var value in comparison.Values.InNaturalOrder(v => v.Name))
            table.Add(value.Name, $"{value.NormA:g5}", $"{value.NormB:g5}", $"{value.NormDifference:g5}", $"{value.Cosine:0.000000}");
        table.Write(terminal);
        var same = comparison.Values.Count(v => v.NormDifference == 0);
        terminal.Line();
        terminal.Line($"{comparison.Values.Count} tensors compared, {same} of them with the same values");
        if (comparison.OtherBytes.Count + comparison.SameBytes > 0)
        {
            terminal.Line(
                $"{comparison.OtherBytes.Count + comparison.SameBytes} tensors of integers or codes compared, "
                + $"{comparison.SameBytes} of them the same");
        }
    }

    private static void List(Terminal terminal, string what, IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            terminal.Line($"{what}: {string.Join(", ", names.InNaturalOrder(n => n))}");
    }

    private static void PrintJson(Terminal terminal, CheckpointComparison comparison) => terminal.Json(json =>
    {
        Names("only_a", comparison.OnlyA);
        Names("only_b", comparison.OnlyB);
        Names("other_shape", [.. comparison.Shapes.Select(s => s.A.Name)]);
        Names("other_bytes", comparison.OtherBytes);
        Names("other_dtype", [.. comparison.DTypes.Select(s => s.A.Name)]);
        json.WriteStartArray("tensors");
        foreach (var value in comparison.Values)
        {
            json.WriteStartObject();
            json.WriteString("name", value.Name);
            json.WriteNumber("elements", value.Count);
            Number(json, "norm_a", value.NormA);
            Number(json, "norm_b", value.NormB);
            Number(json, "norm_difference", value.NormDifference);
            Number(json, "cosine", value.Cosine);
            json.WriteEndObject();
        }
        json.WriteEndArray();

        void Names(string name, IReadOnlyList<string> names)
        {
            json.WriteStartArray(name);
            foreach (var item in names)
                json.WriteStringValue(item);
            json.WriteEndArray();
        }
    });

    // JSON has no NaN and no infinity.
    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Merge.Checkpoints;
using Merge.Compute.Gpu;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;

namespace Merge.Commands;

/// <summary>What <c>merge run --dry-run</c> prints: the plan, a line for each line of the recipe that gives a value.</summary>
internal static partial class PlanListing
{
    // Reading and writing together, what a common SSD keeps up; stated beside every estimate.
    private const double BytesPerSecond = 1e9;

    public static void Print(Terminal terminal, MergePlan plan, PlanOutlook outlook, RunSettings settings)
    {
        if (terminal.IsJson)
        {
            terminal.Json(json => Write(json, plan, outlook, settings));
            return;
        }
        PrintPlan(terminal, plan, outlook, settings);
        terminal.Line("nothing was written");
    }

    public static void PrintPlan(Terminal terminal, MergePlan plan, PlanOutlook outlook, RunSettings settings)
    {
        terminal.Line($"{plan.Strategy.Info.Name} ({plan.Strategy.Info.Id}), plugin {plan.Plugin.Name} {plan.Plugin.Version}");
        var copied = plan.Tensors.Count(t => t.IsCopied);
        terminal.Line($"{plan.Tensors.Count} tensors{(copied == 0 ? "" : $", {copied} of them copied as they are")}");
        terminal.Line();
        PrintLayers(terminal, plan);
        PrintValues(terminal, plan);
        var atLeast = outlook.IsExact ? "" : "at least ";
        terminal.Line($"passes  {atLeast}{outlook.Passes}, the one that writes included");
        terminal.Line($"reads   {atLeast}{DiskSpace.Text(outlook.BytesRead)}");
        terminal.Line($"writes  {DiskSpace.Text(plan.OutputBytes)}");
        terminal.Line($"memory  {MemoryText(outlook)}");
        terminal.Line(string.Create(CultureInfo.InvariantCulture,
            $"time    {atLeast}{Seconds(plan, outlook):0.0} s at 1 GB/s, reading and writing together; what the method computes may take longer"));
        if (settings.Device is { } device)
        {
            terminal.Line($"device  {device.Context.Info}"
                + (ProcessorWork.Text(outlook.OnProcessor) is { } rest ? $"; by the processor: {rest}" : "")
                + (outlook.IsExact ? "" : "; what follows from statistics is not known yet"));
        }
        terminal.Line($"files   {string.Join(", ", plan.Layout.Files.Select(f => $"{f.Name} ({DiskSpace.Text(f.Size)})"))}");
        if (plan.Config is not null)
            terminal.Line("config  rewritten for the new layers");
    }

    private static double Seconds(MergePlan plan, PlanOutlook outlook) =>
        (outlook.BytesRead + plan.OutputBytes) / BytesPerSecond;

    private static string MemoryText(PlanOutlook outlook) =>
        $"at most {DiskSpace.Text(outlook.MemoryLimit)} for buffers and statistics (--memory)"
        + (outlook.MemoryTensor is null ? ""
            : $"; {outlook.MemoryTensor} needs {DiskSpace.Text(outlook.Memory)}"
                + (outlook.Memory > outlook.MemoryLimit ? ": it will be refused, raise --memory or lower --threads" : ""));

    private static void PrintLayers(Terminal terminal, MergePlan plan)
    {
        var runs = LayerOrigins.Of(plan);
        if (runs.Count == 0)
            return;
        var table = new TerminalTable("layers of the output", "made of");
        foreach (var run in runs)
        {
            table.Add(
                run.Count == 1 ? $"{run.Stack}{run.First}" : $"{run.Stack}{run.First} to {run.First + run.Count - 1}",
                string.Join(" and ", run.Sources.Select(
                    s => $"{s.Model} {(run.Count == 1 ? $"{s.Layer}" : $"{s.Layer} to {s.Layer + run.Count - 1}")}")));
        }
        table.Write(terminal);
        terminal.Line();
    }

    private static void PrintValues(Terminal terminal, MergePlan plan)
    {
        var uses = plan.Tensors.SelectMany(t => Uses(plan, t)).ToArray();
        if (uses.Length == 0)
            return;
        var table = new TerminalTable("parameter", "model", "value", "from", "tensors", "which");
        foreach (var group in uses.GroupBy(u => (u.Parameter, u.Model, u.Value.Line))
            .OrderBy(g => g.Key.Parameter, StringComparer.Ordinal).ThenBy(g => g.Key.Line))
        {
            var kinds = group.CountBy(u => Number().Replace(u.Tensor, "N")).ToArray();
            table.Add(
                group.Key.Parameter,
                group.Key.Model ?? "",
                Values([.. group.Select(u => u.Value.Value)]),
                group.Key.Line is { } line ? $"line {line}" : "default",
                $"{group.Count()}",
                string.Join(", ", kinds.Take(2).Select(k => k.Key)) + (kinds.Length > 2 ? $" and {kinds.Skip(2).Sum(k => k.Value)} more" : ""));
        }
        table.Write(terminal);
        terminal.Line();
    }

    private static string Values(object?[] values)
    {
        object?[] different = [.. values.Distinct()];
        return different switch
        {
            [var one] => ValueText.Of(one),
            _ when different.All(v => v is double) =>
                $"{ValueText.Of(different.Min())} to {ValueText.Of(different.Max())} ({different.Length} values)",
            _ => string.Join(", ", different.Select(ValueText.Of)),
        };
    }

    private static IEnumerable<Use> Uses(MergePlan plan, TensorPlan tensor)
    {
        foreach (var parameter in tensor.Values)
        {
            for (var i = 0; i < parameter.Values.Count; i++)
            {
                var model = parameter.Schema.IsPerModel ? LayerOrigins.ModelOf(plan, tensor, i) : null;
                yield return new(tensor.Info.Name, parameter.Schema.Name, model, parameter.Values[i]);
            }
        }
    }

    public static void Write(Utf8JsonWriter json, MergePlan plan, PlanOutlook outlook, RunSettings settings)
    {
        json.WriteString("method", plan.Strategy.Info.Id);
        json.WriteNumber("passes", outlook.Passes);
        json.WriteNumber("bytes_in", outlook.BytesRead);
        json.WriteNumber("bytes_out", plan.OutputBytes);
        json.WriteNumber("memory_limit", outlook.MemoryLimit);
        json.WriteNumber("memory_needed", outlook.Memory);
        json.WriteNumber("seconds_at_1_gb_per_s", Math.Round(Seconds(plan, outlook), 3));
        json.WriteBoolean("lower_bounds", !outlook.IsExact);
        json.WriteBoolean("config_rewritten", plan.Config is not null);
        if (settings.Device is { } device)
        {
            json.WriteString("device", device.Context.Info.Selector);
            WriteOnProcessor(json, outlook.OnProcessor);
        }
        json.WriteStartArray("files");
        foreach (var file in plan.Layout.Files)
        {
            json.WriteStartObject();
            json.WriteString("name", file.Name);
            json.WriteNumber("bytes", file.Size);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("tensors");
        foreach (var tensor in plan.Tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Info.Name);
            json.WriteString("dtype", tensor.OutType.ToString());
            json.WriteBoolean("copied", tensor.IsCopied);
            json.WriteStartArray("inputs");
            foreach (var input in tensor.Inputs.Where(i => i.Files.Any()))
            {
                json.WriteStartObject();
                json.WriteString("model", LayerOrigins.ModelOf(plan, input));
                json.WriteString("name", input.Name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("values");
            foreach (var use in Uses(plan, tensor))
            {
                json.WriteStartObject();
                json.WriteString("parameter", use.Parameter);
                if (use.Model is not null)
                    json.WriteString("model", use.Model);
                ValueText.Write(json, "value", use.Value.Value);
                if (use.Value.Line is { } line)
                    json.WriteNumber("line", line);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public static void WriteOnProcessor(Utf8JsonWriter json, IReadOnlyList<(string Why, int Tensors)> reasons)
    {
        json.WriteStartArray("on_processor");
        foreach (var (why, tensors) in reasons)
        {
            json.WriteStartObject();
            json.WriteString("why", why);
            json.WriteNumber("tensors", tensors);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    [GeneratedRegex(@"(?<=\.)\d+(?=\.)", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    private readonly record struct Use(string Tensor, string Parameter, string? Model, BoundValue Value);
}

using System.Text.Json.Nodes;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>What <c>merge inspect</c> says of one checkpoint.</summary>
internal static class CheckpointListing
{
    /// <param name="terminal">Where it goes.</param>
    /// <param name="checkpoint">Whose tensors.</param>
    /// <param name="refused">Why it is no adapter that can be merged; empty of models.</param>
    public static void Print(Terminal terminal, Checkpoint checkpoint, IReadOnlyList<Diagnostic> refused)
    {
        var tensors = checkpoint.Tensors.Values.InNaturalOrder(t => t.Name).ToArray();
        IReadOnlyList<Diagnostic> quantised = [.. refused, .. Quantisation.Refuse(checkpoint)];
        if (terminal.IsJson)
        {
            PrintJson(terminal, checkpoint, tensors, quantised);
            return;
        }
        var table = new TerminalTable("tensor", "dtype", "shape", "size", "kind", "layer");
        foreach (var tensor in tensors)
        {
            var info = TensorNaming.Describe(tensor.Name, tensor.Shape);
            table.Add(
                tensor.Name,
                $"{tensor.DType}",
                $"[{string.Join(", ", tensor.Shape)}]",
                DiskSpace.Text(tensor.Length),
                info.Kind.ToString().ToLowerInvariant(),
                info.Layer?.ToString() ?? "");
        }
        table.Write(terminal);
        terminal.Line();
        var stacks = LayerStack.Of(tensors.Select(t => t.Name));
        terminal.Line(
            $"{checkpoint.Path}: {tensors.Length} tensors, {Elements(tensors):N0} parameters in "
            + $"{stacks.Sum(s => s.Layers.Count)} layers, "
            + $"{DiskSpace.Text(tensors.Sum(t => t.Length))} in {checkpoint.Files.Count} file{(checkpoint.Files.Count == 1 ? "" : "s")}");
        foreach (var note in checkpoint.Notes)
            terminal.Line($"  {note}");
        if (checkpoint.StateProblem is { } problem)
            terminal.Line($"  optimizer state not read: {problem.Found}");
        else if (checkpoint.State.Count > 0)
            terminal.Line($"  optimizer state: {StateKinds(checkpoint)}");
        foreach (var stack in stacks)
            terminal.Line($"  {stack.Prefix}N: {stack.Layers.Count} layers, {stack.Layers.Min} to {stack.Layers.Max}");
        if (stacks.Count == 0)
            terminal.Line("  no numbered layers");
        var parts = ModelParts.Of(tensors.Select(t => t.Name));
        if (parts.Count > 1)
            terminal.Line($"  modules: {string.Join(", ", parts)}");
        foreach (var group in tensors.GroupBy(t => t.DType).OrderByDescending(Elements))
            terminal.Line($"  {group.Key}: {group.Count()} tensors, {Elements(group):N0} elements");
        if (checkpoint.Config?["model_type"] is JsonValue value && value.TryGetValue<string>(out var type))
            terminal.Line($"  model_type {type}");
        if (refused.Count > 0)
            terminal.Line("  tensors of an adapter, not of a model");
        foreach (var reason in quantised)
            terminal.Line($"  not mergeable: {reason.Found}{(refused.Contains(reason) ? $". {reason.Fix}" : "")}");
    }

    // Every kind once: exp_avg_sq of 12 tensors, …
    private static string StateKinds(Checkpoint checkpoint) => string.Join(", ", checkpoint.State.Keys
        .CountBy(name => name[(name.LastIndexOf('.') + 1)..]).Select(kind => $"{kind.Key} of {kind.Value} tensors"));

    private static long Elements(IEnumerable<TensorSource> tensors) =>
        tensors.Sum(t => t.Shape.Aggregate(1L, (product, size) => product * size));

    private static void PrintJson(
        Terminal terminal, Checkpoint checkpoint, TensorSource[] tensors, IReadOnlyList<Diagnostic> quantised) =>
        terminal.Json(json =>
        {
            json.WriteString("checkpoint", checkpoint.Path);
            json.WriteNumber("parameters", Elements(tensors));
            json.WriteNumber("bytes", tensors.Sum(t => t.Length));
            json.WriteStartArray("notes");
            foreach (var note in checkpoint.Notes)
                json.WriteStringValue(note);
            json.WriteEndArray();
            json.WriteStartArray("state");
            foreach (var name in checkpoint.State.Keys)
                json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteStartArray("stacks");
            foreach (var stack in LayerStack.Of(tensors.Select(t => t.Name)))
            {
                json.WriteStartObject();
                json.WriteString("prefix", stack.Prefix);
                json.WriteNumber("layers", stack.Layers.Count);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("modules");
            foreach (var part in ModelParts.Of(tensors.Select(t => t.Name)))
                json.WriteStringValue(part);
            json.WriteEndArray();
            json.WriteStartArray("tensors");
            foreach (var tensor in tensors)
            {
                var info = TensorNaming.Describe(tensor.Name, tensor.Shape);
                json.WriteStartObject();
                json.WriteString("name", tensor.Name);
                json.WriteString("dtype", tensor.DType.ToString());
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteString("file", Path.GetFileName(tensor.Files.First().Path));
                // Only what lies in one piece has a place.
                if (tensor is StoredTensor stored)
                    json.WriteNumber("offset", stored.Offset);
                json.WriteNumber("bytes", tensor.Length);
                json.WriteString("kind", info.Kind.ToString().ToLowerInvariant());
                if (info.Layer is { } layer)
                    json.WriteNumber("layer", layer);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            JsonText.Write(json, "not_mergeable", quantised);
        });
}

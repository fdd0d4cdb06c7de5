using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// Finds checkpoints whose stored numbers are not the weights: codes beside scales, or types without arithmetic.
/// Merging such numbers would give noise without an error.
/// </summary>
internal static class Quantisation
{
    private const string Fix = "Merge the checkpoint it was quantised from, or dequantise it first (save it as bf16).";

    private static readonly string[] Configs = ["quantization_config", "compression_config"];

    // gptq, awq and MLX; compressed-tensors, fp8 and most others; bitsandbytes.
    private static readonly string[] Companions =
        [".scales", ".qzeros", ".weight_scale", ".weight_scale_inv", ".weight.absmax", ".SCB"];

    private static readonly string[] CodeNames = [".weight", ".qweight", ".weight_packed"];

    /// <summary>Why a checkpoint cannot be merged; empty if it can.</summary>
    public static IReadOnlyList<Diagnostic> Refuse(Checkpoint checkpoint)
    {
        var found = new List<string>();
        if (Configured(checkpoint.Config) is { } method)
            found.Add($"config.json says that the checkpoint is quantised ({method})");
        var tensors = checkpoint.Tensors.Values.OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        foreach (var group in tensors.Where(t => !t.DType.IsMergeable() && !t.DType.IsCopied()).GroupBy(t => t.DType))
            found.Add($"{Named([.. group])} stored as {DTypeNames.Text(group.Key)}, which is not merged");
        var states = tensors.Select(t => t.Name.IndexOf(".quant_state.", StringComparison.Ordinal) is var at and >= 0
            ? t.Name[..at] : null).ToHashSet(StringComparer.Ordinal);
        var codes = tensors.Where(t => t.DType.IsCopied() && (states.Contains(t.Name) || HasScales(checkpoint, t.Name)))
            .ToList();
        if (codes.Count > 0)
            found.Add($"{Named(codes)} packed codes beside scales, not weights");
        return [.. found.Select(text => new Diagnostic(text) { Where = checkpoint.Path, Fix = Fix })];
    }

    // The models within a composed one (text_config, vision_config) have their own.
    private static string? Configured(JsonObject? config)
    {
        if (config is null)
            return null;
        foreach (var name in Configs)
        {
            if (config[name] is JsonObject { Count: > 0 } settings)
                return settings["quant_method"] is { } method ? $"{name}: {method}" : name;
        }
        return config.Select(p => Configured(p.Value as JsonObject)).FirstOrDefault(m => m is not null);
    }

    private static bool HasScales(Checkpoint checkpoint, string name)
    {
        if (name.EndsWith(".qweight", StringComparison.Ordinal))
            return true;
        if (name.EndsWith("_blocks", StringComparison.Ordinal))
            return checkpoint.Tensors.ContainsKey($"{name[..^"_blocks".Length]}_scales");
        var suffix = CodeNames.FirstOrDefault(s => name.EndsWith(s, StringComparison.Ordinal));
        return suffix is not null
            && Companions.Any(c => checkpoint.Tensors.ContainsKey(name[..^suffix.Length] + c));
    }

    private static string Named(List<TensorSource> tensors) => tensors.Count == 1
        ? $"tensor '{tensors[0].Name}' is"
        : $"tensor '{tensors[0].Name}' and {tensors.Count - 1} others are";
}

using System.Collections.Concurrent;

namespace Merge.Compute.Gpu;

/// <summary>What the processor does although there is a device, and why; any thread may add.</summary>
internal sealed class ProcessorWork
{
    private readonly ConcurrentDictionary<(string Tensor, string Why), bool> _noted = new();

    public void Note(string tensor, string why) => _noted[(tensor, why)] = true;

    /// <summary>Of how many tensors, for every reason.</summary>
    public IReadOnlyList<(string Why, int Tensors)> Reasons =>
        [.. _noted.Keys.GroupBy(n => n.Why).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Count()))];

    /// <summary>In words; null where it does nothing.</summary>
    public static string? Text(IReadOnlyList<(string Why, int Tensors)> reasons) => reasons.Count == 0 ? null
        : string.Join("; ", reasons.Select(r => $"{r.Why} of {r.Tensors} tensor{(r.Tensors == 1 ? "" : "s")}"));
}

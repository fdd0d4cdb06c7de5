using System.Diagnostics;
using System.Text.Json;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Planning;

namespace Merge.Commands;

/// <summary>What <c>merge run</c> says of a finished merge.</summary>
internal sealed record RunReport(MergePlan Plan, RunProgress Progress, double Seconds)
{
    private const int MostModules = 10;

    /// <summary>Of an adapter what became of each module.</summary>
    public IReadOnlyList<ModuleReport> Modules { get; init; } = [];

    /// <summary>What computed, if not the processor.</summary>
    public DeviceInfo? Device { get; init; }

    /// <summary>What the processor did all the same.</summary>
    public IReadOnlyList<(string Why, int Tensors)> OnProcessor { get; init; } = [];

    /// <summary>Whose linear algebra was used, if any.</summary>
    public string? LinearAlgebra { get; init; }

    private readonly long _peak = Process.GetCurrentProcess().PeakWorkingSet64;

    public void Print(Terminal terminal)
    {
        var resumed = Progress.TensorsResumed == 0 ? "" : $", {Progress.TensorsResumed} of them taken over from an interrupted run";
        terminal.Line(
            Plan.Adapter is { IsExtracted: true }
                ? $"extraction: {Plan.Tensors.Count} tensors"
                : $"{Plan.Strategy.Info.Name}: {Plan.Models.Count} model{(Plan.Models.Count == 1 ? "" : "s")}, "
                    + $"{Plan.Tensors.Count} tensors{resumed}");
        PrintModules(terminal);
        if (Device is not null)
        {
            terminal.Line(ProcessorWork.Text(OnProcessor) is { } rest
                ? $"computed by {Device}; by the processor: {rest}"
                : $"computed by {Device}");
        }
        if (LinearAlgebra is not null)
        {
            terminal.Line($"linear algebra by {LinearAlgebra}" + (LinearAlgebraChoice.OfProcess.IsManaged
                ? ", on managed code: with OpenBLAS installed (libopenblas0) it takes a fraction of the time"
                : ""));
        }
        terminal.Line(
            $"read {DiskSpace.Text(Progress.BytesRead)}, wrote {DiskSpace.Text(Progress.BytesWritten)} in {Seconds:0.00} s "
            + $"({Rate(Progress.BytesRead + Progress.BytesWritten, Seconds)}), peak memory {DiskSpace.Text(_peak)}");
    }

    /// <summary>Bytes a second in a unit of which there is at least one.</summary>
    internal static string Rate(long bytes, double seconds) => $"{DiskSpace.Text((long)(bytes / Math.Max(seconds, 1e-6)))}/s";

    // What a smaller rank throws away, the most first.
    private void PrintModules(Terminal terminal)
    {
        if (Modules.Count == 0)
            return;
        var kept = Modules.Where(m => m.Rank > 0).ToArray();
        terminal.Line($"an adapter of {kept.Length} module{(kept.Length == 1 ? "" : "s")}, ranks {kept.Min(m => m.Rank)} to {kept.Max(m => m.Rank)}"
            + (kept.Length < Modules.Count ? $"; {Modules.Count - kept.Length} other modules did not change and are left out" : ""));
        ModuleReport[] lossy = [.. kept.Where(m => m.RelativeError > 0).OrderByDescending(m => m.RelativeError)];
        if (lossy.Length == 0)
            return;
        var table = new TerminalTable("module", "rank", "error of its change", "energy thrown away");
        foreach (var module in terminal.IsVerbose ? lossy : lossy.Take(MostModules))
            table.Add(module.Module, $"{module.Rank}", $"{module.RelativeError:0.00%}", $"{module.RelativeError * module.RelativeError:0.00%}");
        table.Write(terminal);
        if (lossy.Length > MostModules && !terminal.IsVerbose)
            terminal.Line($"… and {lossy.Length - MostModules} more, all under {lossy[MostModules].RelativeError:0.00%} (--verbose lists them)");
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("method", Plan.Strategy.Info.Id);
        json.WriteNumber("models", Plan.Models.Count);
        json.WriteNumber("tensors", Plan.Tensors.Count);
        json.WriteNumber("tensors_resumed", Progress.TensorsResumed);
        json.WriteNumber("bytes_read", Progress.BytesRead);
        json.WriteNumber("bytes_written", Progress.BytesWritten);
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.WriteNumber("peak_memory", _peak);
        if (Device is not null)
        {
            json.WriteString("device", Device.Selector);
            PlanListing.WriteOnProcessor(json, OnProcessor);
        }
        if (LinearAlgebra is not null)
            json.WriteString("linear_algebra", LinearAlgebra);
        if (Plan.Adapter is null)
            return;
        json.WriteStartArray("modules");
        foreach (var module in Modules)
        {
            json.WriteStartObject();
            json.WriteString("name", module.Module);
            json.WriteNumber("rank", module.Rank);
            json.WriteNumber("relative_error", module.RelativeError);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}

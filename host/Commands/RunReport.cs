using System.Diagnostics;
using System.Text.Json;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;

namespace Merge.Commands;

/// <summary>What <c>merge run</c> says of a finished merge.</summary>
internal sealed record RunReport(MergePlan Plan, RunProgress Progress, double Seconds)
{
    private readonly long _peak = Process.GetCurrentProcess().PeakWorkingSet64;

    public void Print(Terminal terminal)
    {
        var resumed = Progress.TensorsResumed == 0 ? "" : $", {Progress.TensorsResumed} of them taken over from an interrupted run";
        terminal.Line(
            $"{Plan.Strategy.Info.Name}: {Plan.Models.Count} models, {Plan.Tensors.Count} tensors{resumed}");
        terminal.Line(
            $"read {DiskSpace.Text(Progress.BytesRead)}, wrote {DiskSpace.Text(Progress.BytesWritten)} in {Seconds:0.00} s "
            + $"({(Progress.BytesRead + Progress.BytesWritten) / 1e9 / Seconds:0.00} GB/s), peak memory {DiskSpace.Text(_peak)}");
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
    }
}

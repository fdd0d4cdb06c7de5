using System.Diagnostics;
using Merge.Merging;
using Merge.Planning;

namespace Merge.Commands;

/// <summary>One planned merge, run for a person or a pipe: progress, warnings, report.</summary>
internal sealed record SingleRun
{
    public required Terminal Terminal { get; init; }

    public required MergePlan Plan { get; init; }

    public required RunSettings Settings { get; init; }

    public required bool Force { get; init; }

    public bool Sha256 { get; init; }

    /// <summary>Runs since the command began.</summary>
    public required Stopwatch Clock { get; init; }

    /// <param name="output">The folder to make.</param>
    /// <param name="cancellation">Stops the merge; what is finished is kept.</param>
    public void Execute(string output, CancellationToken cancellation)
    {
        var settings = MatrixRoom.Fit(Plan, Settings);
        var final = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));
        var progress = new RunProgress();
        using var keeping = new KeptWork(Terminal, progress);
        var summary = TerminalProgress.Run(
            Terminal,
            "merging",
            Plan.InputBytes + Plan.OutputBytes,
            progress,
            () => MergeToFolder.Run(Plan, final, Force, Sha256, settings, progress, cancellation));
        foreach (var finding in summary.Findings)
            Terminal.Warn(finding);
        var report = new RunReport(Plan, progress, Clock.Elapsed.TotalSeconds)
        {
            Modules = summary.Modules,
            Device = settings.Device?.Context.Info,
            OnProcessor = summary.OnProcessor,
            LinearAlgebra = summary.LinearAlgebra,
        };
        report.Print(Terminal);
        Terminal.Line(summary.Output);
        if (Terminal.IsJson)
        {
            Terminal.Json(json =>
            {
                json.WriteString("output", summary.Output);
                report.Write(json);
            });
        }
    }

    /// <summary>However the run ends: says so where it left work for the next one.</summary>
    private sealed class KeptWork(Terminal terminal, RunProgress progress) : IDisposable
    {
        public void Dispose()
        {
            if (progress.KeptIn is { } folder)
                terminal.Note($"what was finished is kept in {folder}: the same command goes on from there");
        }
    }
}

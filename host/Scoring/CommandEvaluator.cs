using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>Starts a program for every candidate; the last JSON line it prints are the metrics.</summary>
/// <param name="onlyMetric">See <see cref="EvaluatorReply.Read"/>.</param>
internal sealed class CommandEvaluator(EvaluatorProgram program, string? onlyMetric) : ITrialRunner
{
    // What it started may hold its pipes open after it has ended.
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(1);

    public string Identity => program.Identity;

    public async Task<Evaluation> Run(
        StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var folder = candidate.Folder ?? throw new InvalidOperationException("a command needs a folder");
        using var process = program.Start(worker,
            argument => argument.Replace("{candidate}", folder).Replace("{split}", split).Replace("{id}", candidate.Label),
            ("MERGE_CANDIDATE", folder), ("MERGE_SPLIT", split), ("MERGE_TRIAL", candidate.Label));
        process.StandardInput.Close();
        EvaluatorReply? last = null;
        var gate = new Lock();
        var output = ProgramLines.Read(process.StandardOutput.BaseStream, line =>
        {
            log.Output.Append(line.Span);
            log.Output.Append("\n"u8);
            if (EvaluatorReply.Read(line.Span, onlyMetric) is not { } reply)
                return;
            lock (gate)
                last = reply;
        }, () => { });
        var errors = ProgramLines.Copy(process.StandardError.BaseStream, () => log.Errors);
        using (cancellation.UnsafeRegister(_ => EvaluatorProgram.Kill(process), null))
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        await Task.WhenAny(Task.WhenAll(output, errors), Task.Delay(Drain, CancellationToken.None)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        EvaluatorReply? reply;
        lock (gate)
            reply = last;
        if (reply?.Error is { } error)
            throw Failed($"the command says: {error}");
        if (process.ExitCode != 0)
            throw Failed($"the command {EvaluatorProgram.Ending(process.ExitCode)}", log.Errors.LastLine());
        return reply?.Evaluation
            ?? throw Failed("the command printed no JSON object", log.Output.LastLine() ?? "it printed nothing");
    }

    public void Dispose() => program.Dispose();

    private static MergeException Failed(string found, string? detail = null) =>
        new(new Diagnostic(detail is null ? found : $"{found}: {detail}"));
}

using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>A program that answers a JSON line for every JSON line it reads, one at a time.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly Channel<byte[]> _answers = Channel.CreateUnbounded<byte[]>();
    private readonly Task _errors;
    private volatile TrialLog? _log;

    /// <param name="program">What to start.</param>
    /// <param name="worker">From 0.</param>
    /// <param name="log">Takes what it prints while it starts: that of the first trial.</param>
    public WorkerProcess(EvaluatorProgram program, int worker, TrialLog log)
    {
        _log = log;
        _process = program.Start(worker, argument => argument);
        _ = ProgramLines.Read(_process.StandardOutput.BaseStream, line => _answers.Writer.TryWrite(line.ToArray()),
            () => _answers.Writer.TryComplete());
        _errors = ProgramLines.Copy(_process.StandardError.BaseStream, () => _log?.Errors);
    }

    /// <summary>Has a candidate scored. After an exception it is to be disposed: what it says next is not known.</summary>
    /// <exception cref="MergeException">It ended, or answered something else.</exception>
    public async Task<Evaluation> Ask(
        StoredCandidate candidate, string split, TrialLog log, string? onlyMetric, CancellationToken cancellation)
    {
        _log = log;
        using var killing = cancellation.UnsafeRegister(_ => EvaluatorProgram.Kill(_process), null);
        if (_answers.Reader.TryRead(out var early))
            throw NoAnswer("printed a line that nobody asked for", early, log);
        try
        {
            var input = _process.StandardInput.BaseStream;
            input.Write(Request(candidate, split));
            input.Flush();
        }
        catch (IOException)
        {
            // It is gone: so are its answers, which tells how.
        }
        try
        {
            var line = await Answer(log, cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (EvaluatorReply.Read(line, onlyMetric) is not { } reply)
                throw NoAnswer("answered with a line that is no JSON object", line, log);
            if (reply.Id is { } id && id != candidate.Label)
                throw NoAnswer($"answered for '{id}' where it was asked for '{candidate.Label}'", line, log);
            log.Output.Append(line);
            log.Output.Append("\n"u8);
            if (reply.Error is { } error)
                throw new EvaluationFailed($"the worker says: {error}");
            return reply.Evaluation;
        }
        catch (ChannelClosedException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw await Ended(log).ConfigureAwait(false);
        }
        finally
        {
            _log = null;
        }
    }

    // Its output alone does not tell its end: a program it started may hold that open.
    private async Task<byte[]> Answer(TrialLog log, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var answer = _answers.Reader.ReadAsync(over.Token).AsTask();
        var end = _process.WaitForExitAsync(over.Token);
        if (await Task.WhenAny(answer, end).ConfigureAwait(false) == end && !cancellation.IsCancellationRequested)
        {
            await Task.WhenAny(answer, Task.Delay(Drain, over.Token)).ConfigureAwait(false);
            if (!answer.IsCompleted)
            {
                await over.CancelAsync().ConfigureAwait(false);
                throw await Ended(log).ConfigureAwait(false);
            }
        }
        var line = await answer.ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        return line;
    }

    /// <summary>Lets it end by itself, and then not any more.</summary>
    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already.
        }
        if (!_process.WaitForExit(Patience))
            Kill();
        _process.Dispose();
    }

    public void Kill() => EvaluatorProgram.Kill(_process);

    private async Task<MergeException> Ended(TrialLog log)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new(new Diagnostic("the worker closed its output and goes on running"));
        }
        await Task.WhenAny(_errors, Task.Delay(Drain, CancellationToken.None)).ConfigureAwait(false);
        var detail = log.Errors.LastLine();
        return new(new Diagnostic($"the worker {EvaluatorProgram.Ending(_process.ExitCode)} before it answered"
            + (detail is null ? "" : $": {detail}")));
    }

    private static MergeException NoAnswer(string what, byte[] line, TrialLog log)
    {
        log.Output.Append(line);
        return new(new Diagnostic($"the worker {what}: {log.Output.LastLine()}")
        {
            Fix = "Print answers to standard output and all else to standard error.",
        });
    }

    private static byte[] Request(StoredCandidate candidate, string split)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("id", candidate.Label);
            json.WriteString("candidate", candidate.Folder);
            json.WriteString("split", split);
            json.WriteStartObject("values");
            foreach (var (name, value) in candidate.Values)
                json.WriteNumber(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        return line.ToArray();
    }
}

/// <summary>A worker that is well says that it cannot score a candidate.</summary>
internal sealed class EvaluationFailed(string found) : MergeException(new Diagnostic(found));

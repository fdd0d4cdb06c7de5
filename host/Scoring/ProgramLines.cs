using System.Buffers;

namespace Merge.Scoring;

/// <summary>Reads what a program prints, on a thread of its own: a read from a pipe blocks its thread.</summary>
internal static class ProgramLines
{
    /// <summary>The longest line that is looked at: per-example scores of millions of examples.</summary>
    public const int Longest = 64 << 20;

    /// <summary>Copies a stream until it ends.</summary>
    public static Task Copy(Stream from, Func<BoundedText?> to) => Start(from, bytes => to()?.Append(bytes), () => { });

    /// <summary>Hands on line after line, then tells that the stream has ended; longer lines than
    /// <see cref="Longest"/> arrive cut.</summary>
    public static Task Read(Stream from, Action<ReadOnlyMemory<byte>> line, Action ended)
    {
        var open = new ArrayBufferWriter<byte>();
        return Start(from, bytes =>
        {
            for (var end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
            {
                Add(bytes[..end]);
                line(open.WrittenMemory);
                open.ResetWrittenCount();
                bytes = bytes[(end + 1)..];
            }
            Add(bytes);
        }, () =>
        {
            if (open.WrittenCount > 0)
                line(open.WrittenMemory);
            ended();
        });

        void Add(ReadOnlySpan<byte> part) => open.Write(part[..Math.Min(part.Length, Longest - open.WrittenCount)]);
    }

    private delegate void Take(ReadOnlySpan<byte> bytes);

    private static Task Start(Stream from, Take take, Action ended) => Task.Factory.StartNew(() =>
    {
        var buffer = new byte[64 << 10];
        try
        {
            for (int got; (got = from.Read(buffer)) > 0;)
                take(buffer.AsSpan(0, got));
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The program is gone: what it printed ends here.
        }
        ended();
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

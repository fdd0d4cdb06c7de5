using Merge.Checkpoints;
using System.Buffers;
using System.Runtime.InteropServices;
using Merge.Merging;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>
/// A candidate and the bytes of its tensors. Freed when it is disposed and no evaluation holds it any more: one that
/// ignores its time limit must not read memory that is gone.
/// </summary>
internal abstract class StoredCandidate(string id, IReadOnlyDictionary<string, double> values) : Candidate(id, values), IDisposable
{
    private const int BlockBytes = 1 << 20;

    private int _holds = 1;
    private int _isDisposed;

    /// <summary>Names it in logs and to programs (<c>{id}</c>): the trial's number, say. Plain characters.</summary>
    public string Label { get; init; } = id;

    /// <summary>What the merge writes into; null where the weights were there before.</summary>
    public abstract ITensorSink? Sink { get; }

    /// <summary>A complete model folder; null where the tensors are in memory only.</summary>
    public abstract string? Folder { get; }

    public sealed override void Read(string tensor, Span<float> into)
    {
        var (type, count) = Find(tensor) ?? throw Stop($"the candidate has no tensor '{tensor}'",
            NearestMatch.Question(tensor, Tensors.Select(t => t.Name)));
        if (into.Length != count)
            throw Stop($"tensor '{tensor}' has {count} elements, and {into.Length} are asked for", null);
        var size = type.Bits() / 8;
        if (type is DType.F32)
        {
            ReadBytes(tensor, 0, MemoryMarshal.AsBytes(into));
            return;
        }
        var block = ArrayPool<byte>.Shared.Rent((int)Math.Min(BlockBytes, count * size));
        try
        {
            for (var at = 0; at < into.Length;)
            {
                var part = into.Slice(at, Math.Min(block.Length / size, into.Length - at));
                var bytes = block.AsSpan(0, part.Length * size);
                ReadBytes(tensor, (long)at * size, bytes);
                if (type.IsMergeable())
                    StoredValues.Decode(type, bytes, part);
                else
                    WholeNumbers.Decode(type, bytes, part);
                at += part.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>Keeps it from being freed until <see cref="Release"/>.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
            Free();
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>A tensor's stored type and number of elements, or null.</summary>
    protected abstract (DType Type, long Count)? Find(string tensor);

    protected abstract void ReadBytes(string tensor, long offset, Span<byte> into);

    /// <summary>Gives back what it takes.</summary>
    protected abstract void Free();

    private static MergeException Stop(string found, string? fix) => MergeException.Plugin(found, fix: fix);
}

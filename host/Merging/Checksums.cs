using System.Collections.Concurrent;
using Merge.Checkpoints;

namespace Merge.Merging;

/// <summary>
/// CRC-32C of every stored tensor, taken where its bytes are first read, combined into one of every file at the end:
/// the same number any other tool gives for that file.
/// </summary>
internal sealed class Checksums
{
    private readonly ConcurrentDictionary<(CheckpointFile File, long Offset, long Length), uint?> _tensors = new();

    /// <summary>
    /// Whether the caller is the first to read the tensor, and so the one to checksum it. What is put together while it
    /// is read is not a run of some file's bytes: its files are read when they are asked for.
    /// </summary>
    public bool Claim(TensorSource tensor) => tensor is StoredTensor { Length: > 0 } stored
        && _tensors.TryAdd((stored.File, stored.Offset, stored.Length), null);

    public void Set(TensorSource tensor, uint checksum)
    {
        if (tensor is StoredTensor stored)
            _tensors[(stored.File, stored.Offset, stored.Length)] = checksum;
    }

    public uint? Of(TensorSource tensor) =>
        tensor is StoredTensor stored && _tensors.TryGetValue((stored.File, stored.Offset, stored.Length), out var known)
            ? known
            : null;

    /// <summary>
    /// CRC-32C of the whole file. Parts no merge reads (the header, tensors of other models that are copied from the
    /// base) are read here; null where those are the larger part, for which a checksum is not worth the reading.
    /// </summary>
    public uint? Of(CheckpointFile file)
    {
        var known = _tensors
            .Where(t => ReferenceEquals(t.Key.File, file) && t.Value is not null)
            .Select(t => (t.Key.Offset, t.Key.Length, Checksum: t.Value!.Value))
            .OrderBy(t => t.Offset).ThenByDescending(t => t.Length)
            .ToArray();
        if (known.Sum(t => t.Length) < (file.Size - file.DataStart) / 2)
            return null;
        using var buffer = new NativeBuffer();
        uint checksum = 0;
        long position = 0;
        foreach (var (offset, length, part) in known)
        {
            // In PyTorch files tensors may share bytes.
            if (offset < position)
                continue;
            checksum = ReadThrough(offset, checksum);
            checksum = Crc32C.Combine(checksum, part, length);
            position = offset + length;
        }
        return ReadThrough(file.Size, checksum);

        uint ReadThrough(long end, uint crc)
        {
            while (position < end)
            {
                var span = buffer.Take((int)Math.Min(1 << 20, end - position));
                file.Read(position, span);
                crc = Crc32C.Append(crc, span);
                position += span.Length;
            }
            return crc;
        }
    }
}

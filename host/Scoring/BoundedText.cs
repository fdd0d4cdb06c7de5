using System.Buffers;
using System.Text;

namespace Merge.Scoring;

/// <summary>What a program prints: the beginning and the end of it, however much it is.</summary>
internal sealed class BoundedText
{
    private const int HeadBytes = 64 << 10;
    private const int TailBytes = 192 << 10;

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _head = new();
    // A ring of the last bytes after the head; grows up to its full size.
    private byte[] _tail = [];
    private long _afterHead;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _head.WrittenCount == 0;
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var first = Math.Min(bytes.Length, HeadBytes - _head.WrittenCount);
            if (first > 0)
                _head.Write(bytes[..first]);
            bytes = bytes[first..];
            if (bytes.IsEmpty)
                return;
            if (_tail.Length == 0)
                _tail = new byte[TailBytes];
            var passedOver = Math.Max(0, bytes.Length - TailBytes);
            var last = bytes[passedOver..];
            var place = (int)((_afterHead + passedOver) % TailBytes);
            var beforeTheEnd = Math.Min(last.Length, TailBytes - place);
            last[..beforeTheEnd].CopyTo(_tail.AsSpan(place));
            last[beforeTheEnd..].CopyTo(_tail);
            _afterHead += bytes.Length;
        }
    }

    public void Append(string text) => Append(Encoding.UTF8.GetBytes(text));

    /// <summary>Head, a line that says how much is missing, tail.</summary>
    public byte[] ToArray()
    {
        lock (_gate)
        {
            using var kept = new MemoryStream();
            kept.Write(_head.WrittenSpan);
            if (_afterHead > TailBytes)
                kept.Write(Encoding.UTF8.GetBytes($"\n[… {_afterHead - TailBytes} bytes are left out …]\n"));
            var oldest = _afterHead > TailBytes ? (int)(_afterHead % TailBytes) : 0;
            kept.Write(_tail.AsSpan(oldest, (int)Math.Min(_afterHead, TailBytes) - oldest));
            kept.Write(_tail.AsSpan(0, oldest));
            return kept.ToArray();
        }
    }

    /// <summary>The last line that is not blank, shortened for a message; null where there is none.</summary>
    public string? LastLine()
    {
        const int longest = 300;
        var lines = Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0)
            return null;
        var line = new string([.. lines[^1].Select(c => char.IsControl(c) ? ' ' : c)]);
        return line.Length <= longest ? line : line[..longest] + "…";
    }
}

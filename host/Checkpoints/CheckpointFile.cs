using System.Buffers.Binary;
using Merge.Sdk;
using Microsoft.Win32.SafeHandles;

namespace Merge.Checkpoints;

/// <summary>One file of a checkpoint, open for positional reads by any number of threads.</summary>
internal sealed class CheckpointFile : IDisposable
{
    /// <summary>The format's own limit: 100 MB.</summary>
    public const long LongestHeader = 100_000_000;

    private CheckpointFile(string path, SafeFileHandle handle)
    {
        Path = path;
        Handle = handle;
        Size = RandomAccess.GetLength(handle);
        LastWrite = LastWriteNow();
    }

    public string Path { get; }

    /// <summary>Bytes of the whole file when it was opened.</summary>
    public long Size { get; }

    /// <summary>When the file (what a link stands for) was last written to, as it was when it was opened; UTC.</summary>
    public DateTime LastWrite { get; }

    /// <summary>Where tensors begin in a safetensors file: 8 + the header's length. 0 in files of other formats.</summary>
    public long DataStart { get; private set; }

    public SafeFileHandle Handle { get; }

    /// <summary>Opens a safetensors file and checks the length its header claims.</summary>
    /// <exception cref="MergeException">It cannot be opened, or cannot be a safetensors file.</exception>
    public static CheckpointFile Open(string path) => Open(path, file => file.FindData());

    /// <summary>Opens a file of any format.</summary>
    /// <exception cref="MergeException">It cannot be opened.</exception>
    public static CheckpointFile OpenAny(string path) => Open(path, _ => { });

    private static CheckpointFile Open(string path, Action<CheckpointFile> check)
    {
        SafeFileHandle? handle = null;
        try
        {
            // No FileOptions.RandomAccess: it turns off the kernel's read-ahead, and chunks are read nearly in order.
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            PageCache.ReadOnce(handle);
            var file = new CheckpointFile(path, handle);
            check(file);
            return file;
        }
        catch (Exception e)
        {
            handle?.Dispose();
            if (FileProblem.Is(e))
                throw FileProblem.Reading(path, e);
            throw;
        }
    }

    /// <summary>When the file was last written to, as it is now; UTC.</summary>
    public DateTime LastWriteNow() => File.GetLastWriteTimeUtc(Handle);

    /// <summary>Fills a span from an absolute offset.</summary>
    /// <exception cref="MergeException">The file ends before, or the disk fails.</exception>
    public void Read(long offset, Span<byte> into)
    {
        while (!into.IsEmpty)
        {
            int got;
            try
            {
                got = RandomAccess.Read(Handle, into, offset);
            }
            catch (Exception e) when (FileProblem.Is(e))
            {
                throw FileProblem.Reading($"{Path}, byte {offset}", e);
            }
            if (got == 0)
            {
                throw new MergeException(new Diagnostic("the file was truncated while reading")
                {
                    Where = $"{Path}, byte {offset}",
                    Expected = $"{into.Length} more bytes, as the file had when it was opened",
                    Fix = "Do not change checkpoints during a merge; start again.",
                });
            }
            into = into[got..];
            offset += got;
        }
    }

    public void Dispose() => Handle.Dispose();

    private void FindData()
    {
        if (Size < 8)
            throw Malformed($"the file has {Size} bytes", "at least the 8 bytes of the header's length");
        Span<byte> prefix = stackalloc byte[8];
        Read(0, prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)(Size - 8))
        {
            throw Malformed(
                $"the header claims {length} bytes, past the end of the file ({Size} bytes)",
                $"at most {Size - 8}");
        }
        if (length > LongestHeader)
            throw Malformed($"the header claims {length} bytes", $"at most {LongestHeader}, the format's limit");
        DataStart = 8 + (long)length;
    }

    private MergeException Malformed(string found, string expected) => new(new Diagnostic(found)
    {
        Where = $"{Path}, byte 0",
        Expected = expected,
        Fix = "It is not a safetensors file, or it is cut off: download or write it again.",
    });
}

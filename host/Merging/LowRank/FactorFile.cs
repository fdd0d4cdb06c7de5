using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Merge.Merging.LowRank;

/// <summary>
/// Factors of finished modules, put down as they come: their ranks, and so the header of the adapter's file, are known
/// only when the last is done.
/// </summary>
internal sealed class FactorFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private long _end;

    private readonly long _needed;

    /// <param name="path">Made anew; deleted when this is disposed.</param>
    /// <param name="needed">Bytes that this file and the adapter's take together, for what is said of a full disk; 0:
    /// not known.</param>
    public FactorFile(string path, long needed)
    {
        (_path, _needed) = (path, needed);
        _handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
    }

    /// <summary>Appends numbers; any thread.</summary>
    /// <returns>The byte where they begin.</returns>
    public long Append(ReadOnlySpan<float> values)
    {
        var at = Reserve(values.Length);
        Write(at, values);
        return at;
    }

    /// <summary>A place for so many numbers; any thread.</summary>
    public long Reserve(long count) => Interlocked.Add(ref _end, count * sizeof(float)) - (count * sizeof(float));

    /// <summary>Writes numbers at a byte of a reserved place.</summary>
    public void Write(long at, ReadOnlySpan<float> values)
    {
        try
        {
            RandomAccess.Write(_handle, MemoryMarshal.AsBytes(values), at);
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Writing(_path, _needed, e);
        }
    }

    public void Read(long at, Span<float> into)
    {
        var bytes = MemoryMarshal.AsBytes(into);
        while (!bytes.IsEmpty)
        {
            var got = RandomAccess.Read(_handle, bytes, at);
            if (got == 0)
                throw new EndOfStreamException(_path);
            bytes = bytes[got..];
            at += got;
        }
    }

    public void Dispose() => _handle.Dispose();
}

using Merge.Sdk;
using Microsoft.Win32.SafeHandles;

namespace Merge.Checkpoints;

/// <summary>
/// The files of a layout, open for positional writes from any thread. Bytes not yet written read as zeros.
/// </summary>
internal sealed class OutputWriter : IDisposable
{
    // The disk works while the merge goes on, or it would begin when the merge ends: a kernel waits for seconds, or gigabytes.
    private const long BytesToBegin = 8 << 20;

    private readonly string _folder;
    private readonly SafetensorsLayout _layout;
    private readonly List<SafeFileHandle> _handles = [];
    private readonly bool _lasts;
    private readonly long[] _written;

    private OutputWriter(string folder, SafetensorsLayout layout, bool lasts)
    {
        _folder = folder;
        _layout = layout;
        _lasts = lasts;
        _written = new long[layout.Files.Count];
    }

    /// <summary>Creates the folder if need be, and every file with its header and full length; the index too.</summary>
    /// <param name="lasts">Whether it is to be on the disk in the end; not so what is read and removed soon.</param>
    /// <exception cref="MergeException">The folder cannot be written, or the disk is full.</exception>
    public static OutputWriter Create(string folder, SafetensorsLayout layout, bool lasts = true) => Open(folder, layout, lasts, writer =>
    {
        Directory.CreateDirectory(folder);
        foreach (var file in layout.Files)
        {
            var handle = writer.Add(file, FileMode.Create);
            RandomAccess.Write(handle, file.Header, 0);
            RandomAccess.SetLength(handle, file.Size);
        }
        if (layout.Index is null)
            return;
        using var index = File.OpenHandle(writer.PathOf(CheckpointFolder.IndexFile), FileMode.Create, FileAccess.Write);
        RandomAccess.Write(index, layout.Index, 0);
        DiskSync.Flush(index);
    });

    /// <summary>Opens the files an earlier run created for the same layout, keeping what it wrote.</summary>
    /// <exception cref="MergeException">A file is missing or was created for another layout.</exception>
    public static OutputWriter Resume(string folder, SafetensorsLayout layout) => Open(folder, layout, lasts: true, writer =>
    {
        foreach (var file in layout.Files)
        {
            var handle = writer.Add(file, FileMode.Open);
            var header = new byte[file.Header.Length];
            if (RandomAccess.GetLength(handle) == file.Size && RandomAccess.Read(handle, header, 0) == header.Length
                && header.AsSpan().SequenceEqual(file.Header))
            {
                continue;
            }
            throw new MergeException(new Diagnostic("the unfinished output was made for other inputs or another recipe")
            {
                Where = writer.PathOf(file.Name),
                Fix = "Delete the unfinished folder and start again.",
            });
        }
    });

    /// <summary>Writes bytes at their place.</summary>
    /// <exception cref="MergeException">The disk is full or fails.</exception>
    public void Write(int file, long offset, ReadOnlySpan<byte> bytes)
    {
        var target = _layout.Files[file];
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, target.Header.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, target.Size - bytes.Length);
        try
        {
            RandomAccess.Write(_handles[file], bytes, offset);
            if (_lasts)
                BeginWriting(file, bytes.Length);
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Writing(PathOf(target.Name), _layout.Size, e);
        }
    }

    /// <summary>Returns when everything written so far is on the disk itself.</summary>
    public void Sync()
    {
        // A small output is likely used next; a large one would only push out what others keep cached.
        var isLarge = _layout.Size > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        for (var i = 0; i < _handles.Count; i++)
        {
            try
            {
                DiskSync.Flush(_handles[i]);
                if (isLarge)
                    PageCache.Drop(_handles[i]);
            }
            catch (Exception e) when (FileProblem.Is(e))
            {
                throw FileProblem.Writing(PathOf(_layout.Files[i].Name), _layout.Size, e);
            }
        }
    }

    public void Dispose() => _handles.ForEach(h => h.Dispose());

    private void BeginWriting(int file, int more)
    {
        var written = Interlocked.Add(ref _written[file], more);
        if (written / BytesToBegin > (written - more) / BytesToBegin)
            PageCache.BeginWriting(_handles[file]);
    }

    private static OutputWriter Open(string folder, SafetensorsLayout layout, bool lasts, Action<OutputWriter> fill)
    {
        var writer = new OutputWriter(folder, layout, lasts);
        try
        {
            fill(writer);
            return writer;
        }
        catch (Exception e)
        {
            writer.Dispose();
            if (FileProblem.Is(e))
                throw FileProblem.Writing(folder, layout.Size, e);
            throw;
        }
    }

    private SafeFileHandle Add(OutputFile file, FileMode mode)
    {
        var handle = File.OpenHandle(PathOf(file.Name), mode, FileAccess.ReadWrite, FileShare.Read);
        _handles.Add(handle);
        return handle;
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}

using Merge.Checkpoints;
using Merge.Sdk;
using Microsoft.Win32.SafeHandles;

namespace Merge.Curvature;

/// <summary>
/// One safetensors file, written at known places by any thread, that appears under its name when it is complete. Not
/// completed, it leaves nothing.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private const string Extension = ".safetensors";

    private readonly string _final;
    private readonly string _partial;
    private readonly bool _force;
    private readonly SafetensorsLayout _layout;
    private readonly SafeFileHandle _handle;

    private AtomicFile(string final, SafetensorsLayout layout, bool force)
    {
        (_final, _partial, _layout, _force) = (final, final + ".partial", layout, force);
        _handle = File.OpenHandle(_partial, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        RandomAccess.Write(_handle, layout.Files[0].Header, 0);
        RandomAccess.SetLength(_handle, layout.Files[0].Size);
    }

    /// <exception cref="MergeException">The name cannot be used, or the disk is too full.</exception>
    public static AtomicFile Create(string path, SafetensorsLayout layout, bool force)
    {
        var final = Path.GetFullPath(path);
        Check(final, force);
        var folder = Path.GetDirectoryName(final)!;
        DiskSpace.Check(folder, layout.Size);
        try
        {
            Directory.CreateDirectory(folder);
            return new AtomicFile(final, layout, force);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(final, layout.Size, fault);
        }
    }

    /// <summary>Writes bytes of a tensor.</summary>
    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, _layout.Placements[tensor].Offset + offset);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(_final, _layout.Size, fault);
        }
    }

    /// <summary>Brings it to the disk and gives it its name.</summary>
    public void Complete()
    {
        try
        {
            DiskSync.Flush(_handle);
            _handle.Dispose();
            // The work may have taken long: what stands there now need not be what stood there when it began.
            Check(_final, _force);
            File.Move(_partial, _final, overwrite: _force);
            FolderSync.Names(Path.GetDirectoryName(_final)!);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(_final, _layout.Size, fault);
        }
    }

    public void Dispose()
    {
        _handle.Dispose();
        File.Delete(_partial);
    }

    private static void Check(string final, bool force)
    {
        if (!final.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            throw Refuse($"the output is a file in safetensors format, and its name does not end in {Extension}", "Add it.");
        if (Directory.Exists(final))
            throw Refuse("a folder stands where the output file would be", "Give another name.");
        if (File.Exists(final) && !force)
            throw Refuse("the output file exists", "Give another name, or --force to replace it.");

        MergeException Refuse(string found, string fix) =>
            new(new Diagnostic(found) { Where = final, Fix = fix }) { WrongUsage = true };
    }
}

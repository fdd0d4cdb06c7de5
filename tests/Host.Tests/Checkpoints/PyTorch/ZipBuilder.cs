using System.Runtime.InteropServices;
using System.Text;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>Archives by the book, a second opinion on what is read of them.</summary>
internal static class ZipBuilder
{
    public const int EndBytes = 22;
    public const int WideEndBytes = 56 + 20;

    /// <summary>Members, directory and end; where asked for with the end of zip64 and its locator before that.</summary>
    public static byte[] Of(bool isWide, params IEnumerable<ZipEntry> entries)
    {
        var file = new MemoryStream();
        var directory = new MemoryStream();
        var count = 0;
        foreach (var entry in entries)
        {
            directory.Write(entry.Central(entry.At ?? file.Position));
            if (entry.At is null)
                file.Write(entry.Local());
            count++;
        }
        var (start, size) = (file.Position, directory.Length);
        file.Write(directory.ToArray());
        var writer = new BinaryWriter(file);
        if (isWide)
        {
            var wide = file.Position;
            writer.Write(0x06064b50);
            writer.Write(44L);
            writer.Write(0x002d002d);
            writer.Write(0L);
            writer.Write((long)count);
            writer.Write((long)count);
            writer.Write(size);
            writer.Write(start);
            writer.Write(0x07064b50);
            writer.Write(0);
            writer.Write(wide);
            writer.Write(1);
        }
        writer.Write(0x06054b50);
        writer.Write(0);
        writer.Write((ushort)count);
        writer.Write((ushort)count);
        writer.Write((uint)size);
        writer.Write(isWide ? uint.MaxValue : (uint)start);
        writer.Write((ushort)0);
        return file.ToArray();
    }

    /// <summary>The members of a state dict whose tensors are float32 [2] of 1 and 2.</summary>
    public static ZipEntry[] StateDict(params string[] names) =>
        Saved($"\u0080\u0002}}{string.Concat(names.Select(Tensor))}.", names.Length);

    /// <summary>The members of what a pickle describes, with storages of 1 and 2.</summary>
    public static ZipEntry[] Saved(string pickle, int storages) =>
    [
        new("archive/data.pkl", Encoding.Latin1.GetBytes(pickle)),
        .. Enumerable.Range(0, storages).Select(i => new ZipEntry($"archive/data/{i}", MemoryMarshal.AsBytes<float>([1, 2]).ToArray())),
    ];

    /// <summary>The opcodes that put a tensor, float32 [2], into the dict on top of the stack.</summary>
    public static string Tensor(string name, int key) =>
        $"U{(char)name.Length}{name}ctorch._utils\n_rebuild_tensor_v2\n((U\astoragectorch\nFloatStorage\nU\u0001{key}U\u0003cpuK\u0002tQ"
        + "K\0K\u0002\u0085K\u0001\u0085\u0089ccollections\nOrderedDict\n)RtRs";
}

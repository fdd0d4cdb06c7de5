using System.Runtime.CompilerServices;
using Host.Tests.Checkpoints.PyTorch;
using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.Distributed;

/// <summary>The folders beside this file, and copies of them to damage.</summary>
internal static class DistributedFixture
{
    public static string Path(string name, [CallerFilePath] string here = "") =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "Fixtures", name);

    /// <summary>Copies a folder of the fixtures into a temporary one; its path.</summary>
    public static string Copy(TemporaryFolder folder, string name)
    {
        var from = Path(name);
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var to = System.IO.Path.Combine(folder["copy"], System.IO.Path.GetRelativePath(from, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
        return folder["copy"];
    }

    /// <summary>Replaces bytes of a file by as many others, everywhere.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> old, ReadOnlySpan<byte> other)
    {
        Assert.Equal(old.Length, other.Length);
        var bytes = File.ReadAllBytes(path);
        var count = 0;
        for (var at = bytes.AsSpan().IndexOf(old); at >= 0; at = bytes.AsSpan().IndexOf(old), count++)
            other.CopyTo(bytes.AsSpan(at));
        Assert.NotEqual(0, count);
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Each tensor has the shape, type and bytes of its namesake, read whole and from any place.</summary>
    public static void AssertSame(
        IReadOnlyDictionary<string, TensorSource> expected, IReadOnlyDictionary<string, TensorSource> found, Func<string, string>? name = null)
    {
        foreach (var (key, tensor) in found)
        {
            var same = expected[name?.Invoke(key) ?? key];
            Assert.Equal(same.Shape.ToArray(), tensor.Shape.ToArray());
            Assert.Equal(same.DType, tensor.DType);
            Assert.Equal(key, tensor.Name);
            var bytes = PyTorchFixture.Bytes(same);
            Assert.Equal(bytes, PyTorchFixture.Bytes(tensor));
            for (var start = 0; start < bytes.Length; start++)
            {
                foreach (var length in new[] { 1, 2, 3, 7, 24, 64 }.Where(l => l <= bytes.Length - start))
                {
                    var part = new byte[length];
                    tensor.Read(start, part);
                    Assert.Equal(bytes[start..(start + length)], part);
                }
            }
        }
    }
}

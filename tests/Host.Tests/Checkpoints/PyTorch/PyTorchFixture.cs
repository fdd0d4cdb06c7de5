using System.Runtime.CompilerServices;
using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>The files that PyTorch itself wrote, beside this one.</summary>
internal static class PyTorchFixture
{
    public static string Path(string name) => System.IO.Path.Combine(Folder(), "Fixtures", name);

    public static byte[] Bytes(TensorSource tensor)
    {
        var bytes = new byte[tensor.Length];
        tensor.Read(0, bytes);
        return bytes;
    }

    private static string Folder([CallerFilePath] string here = "") => System.IO.Path.GetDirectoryName(here)!;
}

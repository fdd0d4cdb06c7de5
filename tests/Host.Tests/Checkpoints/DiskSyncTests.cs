using System.IO.Pipes;
using Merge.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Host.Tests.Checkpoints;

public sealed class DiskSyncTests : IDisposable
{
    private const int BadFileDescriptor = 9;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_system_refuses_is_told_with_its_number()
    {
        using var nothing = new SafeFileHandle(1_000_000, ownsHandle: false);
        Assert.Equal(BadFileDescriptor, Assert.Throws<IOException>(() => DiskSync.Flush(nothing)).HResult);
    }

    [Fact]
    public void What_a_stream_still_holds_goes_along()
    {
        using var file = new FileStream(_folder["file"], FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 4096);
        file.Write([1, 2, 3]);
        DiskSync.Flush(file);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_folder["file"]));
    }

    [Fact]
    public void What_has_no_disk_below_it_is_left_alone()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var file = new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        DiskSync.Flush(file);
    }
}

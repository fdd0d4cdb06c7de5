using System.Runtime.InteropServices;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;

namespace Host.Tests.Compute.Gpu;

/// <summary>
/// A device that takes PTX and runs expressions by <see cref="PtxMachine"/>, in the host's memory, at once; it has no
/// fixed kernels.
/// </summary>
internal sealed unsafe class PtxDevice() : DeviceContext(new DeviceInfo("ptx", 0, "a machine for PTX") { LargestBuffer = long.MaxValue })
{
    public override ProgramLanguage Language => ProgramLanguage.Ptx;

    /// <summary>The programs that were loaded.</summary>
    public List<string> Programs { get; } = [];

    public override long FreeMemory() => long.MaxValue;

    public override DeviceStream CreateStream() => new Stream();

    public override DeviceModule Load(string name, string text)
    {
        Programs.Add(text);
        return new Module(text);
    }

    public override void Dispose()
    {
    }

    protected override DeviceBuffer AllocateChecked(long bytes) => new Buffer(bytes);

    protected override PinnedBuffer AllocatePinnedChecked(long bytes) => new Pinned(bytes);

    private static nint Memory(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);

    private sealed class Buffer(long bytes) : DeviceBuffer(bytes)
    {
        public nint Address { get; } = Memory(bytes);

        public override void Dispose() => NativeMemory.AlignedFree((void*)Address);
    }

    private sealed class Pinned(long bytes) : PinnedBuffer(Memory(bytes), bytes)
    {
        public override void Dispose() => NativeMemory.AlignedFree((void*)Address);
    }

    private sealed class Module(string text) : DeviceModule
    {
        public override DeviceKernel Kernel(string name) => name == LoopProgram.KernelName
            ? new Kernel(text)
            : throw new NotSupportedException($"{name} is a fixed kernel");

        public override void Dispose()
        {
        }
    }

    private sealed class Kernel(string text) : DeviceKernel(LoopProgram.KernelName)
    {
        public string Text => text;

        public override void Dispose()
        {
        }
    }

    private sealed class Stream : DeviceStream
    {
        public override DeviceEvent Record() => throw new NotSupportedException();

        public override void WaitFor(DeviceEvent earlier) => throw new NotSupportedException();

        public override void Synchronise()
        {
        }

        public override void Dispose()
        {
        }

        protected override void QueueCopyIn(nint source, DeviceBuffer target, long offset, long bytes) =>
            Copy(source, ((Buffer)target).Address + (nint)offset, bytes);

        protected override void QueueCopyOut(DeviceBuffer source, long offset, nint target, long bytes) =>
            Copy(((Buffer)source).Address + (nint)offset, target, bytes);

        protected override void QueueCopy(
            DeviceBuffer source, long sourceOffset, DeviceBuffer target, long targetOffset, long bytes) =>
            throw new NotSupportedException();

        protected override void QueueFill(DeviceBuffer target, long offset, long bytes, uint pattern) =>
            throw new NotSupportedException();

        protected override void QueueLaunch(
            DeviceKernel kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
        {
            var values = new ulong[arguments.Length];
            for (var k = 0; k < values.Length; k++)
                values[k] = arguments[k].Buffer is Buffer buffer ? (ulong)buffer.Address : arguments[k].Bits;
            PtxMachine.Run(((Kernel)kernel).Text, values, (uint)shape.GroupsX, (uint)shape.GroupSize);
        }

        private static void Copy(nint from, nint to, long bytes) =>
            System.Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);
    }
}

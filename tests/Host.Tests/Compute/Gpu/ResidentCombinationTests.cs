using System.Runtime.InteropServices;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Host.Tests.Compute.Gpu;

/// <summary>A generation's candidates from checkpoints that stay on the device.</summary>
public sealed unsafe class ResidentCombinationTests : IDisposable
{
    private const int Count = 10_001;
    private const int Models = 5;
    private const int Stride = ((Count * 2) + 63) / 64 * 64;

    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(Models * Stride, 64);
    private readonly Lazy<GpuDevice> _device = new(() => new(OpenClDevice.All()[0].Open()));

    public ResidentCombinationTests()
    {
        for (var k = 0; k < Models; k++)
        {
            var weights = Numbers.Weights(Count, (ulong)k, true);
            for (var i = 0; i < Count; i++)
                ((ushort*)(_memory + (k * Stride)))[i] = (ushort)(BitConverter.SingleToUInt32Bits(weights[i]) >> 16);
        }
    }

    [OpenClFact]
    public void Candidates_have_the_processors_bytes_and_their_inputs_cross_the_bus_once()
    {
        using (_device.Value.Mirrors.Add((nint)_memory, Models * Stride))
        {
            // What is on the device is read there: the host's bytes may be anything.
            var expected = Run(new CpuCompiler(), 7);
            new Span<byte>(_memory, Models * Stride).Clear();
            Assert.Equal(expected, Run(new GpuCompiler(_device.Value, 0), 7));
        }
        Assert.Equal(0, _device.Value.CompiledCount);
    }

    [OpenClFact]
    public void Without_a_mirror_they_are_streamed_to_the_same_bytes()
    {
        Assert.Equal(Run(new CpuCompiler(), 3), Run(new GpuCompiler(_device.Value, 0), 3));
        Assert.True(_device.Value.CompiledCount > 0);
        Assert.Equal(0, _device.Value.Context.Allocated);
    }

    [OpenClFact]
    public void What_leaves_no_room_for_blocks_is_not_mirrored()
    {
        _device.Value.Context.Budget = Models * Stride;
        Assert.Null(_device.Value.Mirrors.Add((nint)_memory, Models * Stride));
        _device.Value.Context.Budget = 2 * Models * Stride;
        using (var mirror = _device.Value.Mirrors.Add((nint)_memory, Models * Stride))
        {
            Assert.NotNull(mirror);
            Assert.NotNull(_device.Value.Mirrors.Find((nint)_memory + 10, 20));
            Assert.Null(_device.Value.Mirrors.Find((nint)_memory + 10, Models * Stride));
        }
        Assert.Null(_device.Value.Mirrors.Find((nint)_memory, 1));
        Assert.Equal(0, _device.Value.Context.Allocated);
    }

    public void Dispose()
    {
        if (_device.IsValueCreated)
            _device.Value.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    // The outputs of all candidates, block after block.
    private byte[][] Run(ICompiler compiler, int candidates)
    {
        var kernel = compiler.Combine(new(
            [.. Enumerable.Repeat(DType.BF16, Models)],
            DType.BF16,
            [new(0), new(1, 0), new(2, 0), new(3, 0), new(4, 0)],
            [
                .. Enumerable.Range(0, candidates).Select(m => new Combination(
                    [1, 2, 3, 4], [0.1f * m, 0.3f - (0.01f * m), 1f / (m + 1), 0.25f], 0)),
            ]));
        using var workspace = new Workspace();
        var outputs = new byte[candidates][];
        for (var m = 0; m < candidates; m++)
            outputs[m] = new byte[Count * 2];
        for (var start = 0; start < Count; start += 4096)
        {
            var count = Math.Min(4096, Count - start);
            nint[] inputs = [.. Enumerable.Range(0, Models).Select(k => (nint)(_memory + (k * Stride) + (start * 2)))];
            var pins = outputs.Select(o => GCHandle.Alloc(o, GCHandleType.Pinned)).ToArray();
            kernel.Run(start, count, inputs, [.. pins.Select(p => p.AddrOfPinnedObject() + (start * 2))], workspace);
            Array.ForEach(pins, p => p.Free());
        }
        return outputs;
    }
}

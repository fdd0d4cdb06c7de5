using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>A block on its way through a device.</summary>
/// <param name="Start">Index in the tensor of its first element.</param>
/// <param name="Count">Its elements.</param>
/// <param name="At">Where in the device's memory each region lies, in bytes.</param>
internal readonly record struct GpuBlock(long Start, int Count, long[] At);

/// <summary>
/// A part of a worker's memory on the device: of how many bytes, and what the host writes there for every block, if it
/// does.
/// </summary>
internal sealed record GpuRegion(Func<GpuBlock, long> Bytes, Action<GpuBlock, nint>? Fill = null);

/// <summary>
/// Evaluates expressions block by block on a device: stored bytes go there, loops and operations along axes follow one
/// another, stored bytes come back.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="regions">Its memory: inputs, then outputs, then what else is needed.</param>
/// <param name="inputSizes">Bytes of an element of every input.</param>
/// <param name="outputSizes">Bytes of an element of every output.</param>
/// <param name="launches">What is queued for every block.</param>
internal sealed class GpuKernel(
    GpuDevice device, GpuRegion[] regions, int[] inputSizes, int[] outputSizes, Action<GpuLane, GpuBlock>[] launches)
    : IKernel
{
    // What every device can address at once, and more.
    private const long Alignment = 256;

    public long ScratchBytes => 0;

    /// <summary>Bytes of the device that a block of so many elements takes.</summary>
    public long MemoryOf(int count)
    {
        var block = new GpuBlock(0, count, new long[regions.Length]);
        return Place(block, _ => true, 0);
    }

    public void Run(long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace)
    {
        var lane = Lane(workspace);
        try
        {
            var block = Queue(start, count, inputs, lane);
            for (var k = 0; k < outputSizes.Length; k++)
            {
                lane.Stream.CopyOut(
                    lane.Memory, block.At[inputSizes.Length + k], outputs[k], (long)count * outputSizes[k]);
            }
        }
        catch
        {
            lane.Drain();
            throw;
        }
        lane.Stream.Synchronise();
    }

    /// <summary>Evaluates elements whose values, of float32 roots, stay on the device for what takes them.</summary>
    public void Run(
        long start, int count, ReadOnlySpan<nint> inputs, Workspace workspace, Action<DeviceOperands> taker)
    {
        var lane = Lane(workspace);
        try
        {
            var block = Queue(start, count, inputs, lane);
            taker(new(device, lane, block.At[inputSizes.Length..(inputSizes.Length + outputSizes.Length)], count));
        }
        catch
        {
            lane.Drain();
            throw;
        }
        lane.Stream.Synchronise();
    }

    private GpuLane Lane(Workspace workspace) => workspace.Of(device, () => new GpuLane(device));

    private GpuBlock Queue(long start, int count, ReadOnlySpan<nint> inputs, GpuLane lane)
    {
        var block = new GpuBlock(start, count, new long[regions.Length]);
        var uploads = Place(block, r => r.Fill is not null, 0);
        lane.Reserve(Math.Max(Place(block, r => r.Fill is null, uploads), 1), Math.Max(uploads, 1));
        for (var k = 0; k < regions.Length; k++)
            regions[k].Fill?.Invoke(block, lane.Uploads + (nint)block.At[k]);
        lane.Stream.CopyIn(lane.Uploads, lane.Memory, 0, uploads);
        for (var k = 0; k < inputSizes.Length; k++)
        {
            var bytes = (long)count * inputSizes[k];
            if (device.Mirrors.Find(inputs[k], bytes) is { } there)
                lane.Stream.Copy(there.Buffer, there.At, lane.Memory, block.At[k], bytes);
            else
                lane.Stream.CopyIn(inputs[k], lane.Memory, block.At[k], bytes);
        }
        foreach (var launch in launches)
            launch(lane, block);
        return block;
    }

    public void RunTiles(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> tiles, Workspace workspace,
        ITileTaker taker) => throw new NotSupportedException("what is reduced is evaluated on the processor");

    private long Place(GpuBlock block, Func<GpuRegion, bool> which, long end)
    {
        for (var k = 0; k < regions.Length; k++)
        {
            if (!which(regions[k]))
                continue;
            block.At[k] = end;
            end += (regions[k].Bytes(block) + Alignment - 1) / Alignment * Alignment;
        }
        return end;
    }
}

using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Linear combinations whose inputs are on the device where a search keeps them there: nothing but the results crosses
/// the bus, and one kernel that is never compiled anew makes all of them. Other inputs are streamed.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="combinations">What to compute.</param>
/// <param name="stream">Makes a kernel that takes inputs from the host.</param>
internal sealed class ResidentCombination(GpuDevice device, Combinations combinations, Func<IKernel> stream) : IKernel
{
    private const long Alignment = 256;

    private readonly Lazy<IKernel> _streamed = new(stream);
    private readonly int[] _sizes = [.. combinations.InputTypes.Select(t => t.Bits() / 8)];
    private readonly int _outputSize = combinations.OutputType.Bits() / 8;
    private readonly Lock _lock = new();
    private long[] _places = [];
    private CombinationTables? _tables;

    public long ScratchBytes => 0;

    public void Run(long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace)
    {
        var places = new long[inputs.Length];
        if (Inputs(start, count, inputs, places) is not { } resident)
        {
            _streamed.Value.Run(start, count, inputs, outputs, workspace);
            return;
        }
        var tables = Tables(places);
        var lane = workspace.Of(device, () => new GpuLane(device));
        var tableBytes = Aligned(tables.Bytes.Length);
        var stride = Aligned((long)count * _outputSize);
        lane.Reserve(tableBytes + (stride * outputs.Length), tableBytes);
        Marshal.Copy(tables.Bytes, 0, lane.Uploads, tables.Bytes.Length);
        try
        {
            lane.Stream.CopyIn(lane.Uploads, lane.Memory, 0, tables.Bytes.Length);
            tables.Queue(
                lane.Stream, lane.Kernel(device.Fixed, tables.Kernel), lane.Memory, 0, resident, start, count, lane.Memory,
                tableBytes, stride);
            for (var m = 0; m < outputs.Length; m++)
                lane.Stream.CopyOut(lane.Memory, tableBytes + (m * stride), outputs[m], (long)count * _outputSize);
        }
        catch (DeviceException)
        {
            lane.Drain();
            throw;
        }
        lane.Stream.Synchronise();
    }

    public void RunTiles(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> tiles, Workspace workspace,
        ITileTaker taker) => throw new NotSupportedException("combinations are written, never reduced");

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    // The buffer they are all in, and where in it each one's element 0 is.
    private DeviceBuffer? Inputs(long start, int count, ReadOnlySpan<nint> inputs, long[] places)
    {
        DeviceBuffer? all = null;
        for (var k = 0; k < inputs.Length; k++)
        {
            if (device.Mirrors.Find(inputs[k], (long)count * _sizes[k]) is not { } place || (all ?? place.Buffer) != place.Buffer)
                return null;
            (all, places[k]) = (place.Buffer, place.At - (start * _sizes[k]));
        }
        return all;
    }

    // The same for all blocks of a tensor.
    private CombinationTables Tables(long[] places)
    {
        lock (_lock)
        {
            if (_tables is null || !_places.AsSpan().SequenceEqual(places))
                (_tables, _places) = (new(combinations, places), places);
            return _tables;
        }
    }
}

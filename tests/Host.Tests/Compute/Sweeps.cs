using System.Runtime.InteropServices;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

/// <summary>Runs statistics over arrays: segments on several threads in any order, cut in random blocks.</summary>
internal static unsafe class Sweeps
{
    /// <summary>Completes what is pending of a scan whose inputs are float32.</summary>
    public static void Complete(TensorScan scan, float[][] inputs, ulong seed = 1, ICompiler? compiler = null)
    {
        var statistics = new TensorStatistics(
            scan.Info, [.. scan.Pending], [], compiler ?? new CpuCompiler(), _ => DType.F32, Evaluate.Seed);
        scan.Pending.Clear();
        while (statistics.Next() is { } sweep)
            Run(sweep, scan.Info, inputs, seed++);
        statistics.Complete();
    }

    public static void Run(TensorSweep sweep, TensorInfo info, float[][] inputs, ulong seed)
    {
        var starts = new List<long>();
        for (var start = 0L; start < info.Count; start += sweep.SegmentLength)
        {
            if (sweep.Needs(start) is var needs && needs.Start < needs.End)
                starts.Add(start);
        }
        var segments = new SweepSegment[starts.Count];
        var order = Enumerable.Range(0, starts.Count).OrderBy(i => Philox.Words(((uint)i, 0, 0, 0), seed).X).ToArray();
        Parallel.ForEach(order, i => segments[i] = RunSegment(sweep, inputs, starts[i], seed + (ulong)i));
        sweep.Finish(segments);
    }

    private static SweepSegment RunSegment(
        TensorSweep sweep, float[][] inputs, long start, ulong seed)
    {
        var random = new RandomExpressions(seed);
        (start, var end) = sweep.Needs(start);
        var segment = sweep.Begin(start, end);
        using var workspace = new Workspace();
        var pins = inputs.Select(i => GCHandle.Alloc(i, GCHandleType.Pinned)).ToArray();
        while (start < end)
        {
            var units = (end - start) / sweep.Unit;
            var count = sweep.Unit * Math.Min(units, 1 + random.Below((int)Math.Max(300_000 / sweep.Unit, 1)));
            nint[] addresses = [.. sweep.Inputs.Select(
                key => pins[key.Model + 1].AddrOfPinnedObject() + ((nint)start * sizeof(float)))];
            sweep.Run(segment, start, (int)count, addresses, workspace);
            start += count;
        }
        foreach (var pin in pins)
            pin.Free();
        return segment;
    }

    public static T Value<T>(Stat<T> stat) => stat.GetAwaiter().GetResult();
}

using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Makes kernels for a device; for what it cannot do, and for tensors too small to be worth it, the processor's, which
/// have the same bits.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="smallest">Elements from which on a tensor goes to the device.</param>
internal sealed class GpuCompiler(GpuDevice device, long smallest) : ICompiler
{
    // A loop of a few steps for each of these is still compiled in a second.
    private const int MostCombinedSteps = 1 << 10;

    // Of the memory there is, for each of a few workers.
    private const int Workers = 8;

    private readonly CpuCompiler _cpu = new();
    private readonly ProcessorWork _onProcessor = new();

    public IReadOnlyList<(string Why, int Tensors)> OnProcessor => _onProcessor.Reasons;

    private long MostMemory => Math.Min(device.Context.Info.LargestBuffer, device.Context.Budget / Workers);

    public IKernel Compile(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        IReadOnlyList<DType> outputTypes,
        string tensorName,
        ulong seed,
        DrawMemory? draws = null)
    {
        CpuCompiler.RequireUnit(recording, tensorName);
        if (recording.Tensor.Count < smallest)
            return _cpu.Compile(recording, inputTypes, outputTypes, tensorName, seed, draws);
        if (DeviceLimits.Of(recording) is { } lack)
        {
            _onProcessor.Note(tensorName, lack);
            return _cpu.Compile(recording, inputTypes, outputTypes, tensorName, seed, draws);
        }
        var key = Philox.KeyOf(seed, tensorName);
        var staged = new KernelBuilder(recording, inputTypes, outputTypes, key, null) { OuterIsLeaf = false }.Build();
        var kernel = GpuKernelBuilder.Build(device, staged);
        if (kernel.MemoryOf((int)recording.Unit) <= MostMemory)
            return kernel;
        _onProcessor.Note(tensorName, "more elements at once than the device has memory for");
        return _cpu.Compile(recording, inputTypes, outputTypes, tensorName, seed, draws);
    }

    public IKernel CompileOperands(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        string tensorName,
        ulong seed,
        bool onDevice,
        DrawMemory? draws = null)
    {
        if (!onDevice && recording.Tensor.Count >= smallest)
            _onProcessor.Note(tensorName, DeviceLimits.Statistics);
        return Compile(recording, inputTypes, [.. recording.Roots.Select(_ => DType.F32)], tensorName, seed, draws);
    }

    public IKernel Combine(Combinations combinations) => CombinationTables.Takes(combinations)
        ? new ResidentCombination(device, combinations, () => Stream(combinations))
        : Stream(combinations);

    private GpuKernel Stream(Combinations combinations)
    {
        var loops = new List<PlannedLoop>();
        var rows = new List<int>();
        var steps = 0;
        for (var k = 0; k < combinations.Rows.Count; k++)
        {
            var ofRow = 2 * combinations.Rows[k].Terms.Length;
            if (rows.Count > 0 && steps + ofRow > MostCombinedSteps)
            {
                loops.Add(CombinedLoop.Of(combinations, rows));
                (rows, steps) = ([], 0);
            }
            rows.Add(k);
            steps += ofRow;
        }
        loops.Add(CombinedLoop.Of(combinations, rows));
        var outputSize = combinations.OutputType.Bits() / 8;
        return GpuKernelBuilder.Build(device, new(
            [new([], [], [.. loops], [])], 1, 0, [.. combinations.InputTypes.Select(t => t.Bits() / 8)],
            [.. combinations.Rows.Select(_ => outputSize)]));
    }
}

using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Compute.Gpu.Emission;

namespace Merge.Compute.Gpu;

/// <summary>A loop compiled for a device, as soon as it is needed: over packs of elements, and over single ones.</summary>
internal sealed class LoopProgram(DeviceContext context, LoopShape shape, LoopInput[] inputs) : IDisposable
{
    /// <summary>The name of the kernel in each program.</summary>
    public const string KernelName = "loop";

    // A body this long for every element of a pack would take long to compile and leave few registers.
    private const int MostInstructions = 1 << 12;

    private readonly Lazy<DeviceModule> _packed = new(() => Load(context, shape, inputs, LoopBody.PackOf(shape, inputs)));
    private readonly Lazy<DeviceModule> _single = new(() => Load(context, shape, inputs, 1));

    /// <summary>Elements at once; 1 where there are no packs.</summary>
    public int Pack { get; } =
        LoopBody.Of(shape, inputs, 1).Instructions.Count * LoopBody.PackOf(shape, inputs) <= MostInstructions
            ? LoopBody.PackOf(shape, inputs)
            : 1;

    /// <summary>How many programs were compiled.</summary>
    public int CompiledCount => (_packed.IsValueCreated ? 1 : 0) + (_single.IsValueCreated ? 1 : 0);

    public DeviceModule Packed => _packed.Value;

    public DeviceModule Single => _single.Value;

    public void Dispose()
    {
        foreach (var module in new[] { _packed, _single }.Where(m => m.IsValueCreated))
            module.Value.Dispose();
    }

    private static DeviceModule Load(DeviceContext context, LoopShape shape, LoopInput[] inputs, int pack) => context.Load(
        "a method's expression",
        context.Language == ProgramLanguage.Ptx
            ? PtxText.Head + PtxText.Of(KernelName, shape, inputs, pack)
            : OpenClText.Head + OpenClText.Of(KernelName, shape, inputs, pack));
}

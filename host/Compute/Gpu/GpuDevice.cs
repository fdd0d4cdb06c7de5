using System.Collections.Concurrent;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Compute.Gpu.Emission;

namespace Merge.Compute.Gpu;

/// <summary>A device in use, and what was compiled for it; any thread may call it.</summary>
internal sealed class GpuDevice(DeviceContext context) : IHostMemory, IDisposable
{
    // A body this long for every element of a pack would take long to compile and leave few registers.
    private const int MostInstructions = 1 << 12;

    private readonly ConcurrentDictionary<string, Lazy<DeviceModule>> _loops = new();
    private readonly ConcurrentDictionary<string, int> _packs = new();
    private readonly ConcurrentDictionary<nint, PinnedBuffer> _pinned = new();
    private readonly Lazy<DeviceModule> _fixed = new(() => FixedKernels.Load(context));

    public DeviceContext Context => context;

    public DeviceModule Fixed => _fixed.Value;

    /// <summary>What is on the device to stay.</summary>
    public DeviceMirrors Mirrors { get; } = new(context);

    /// <summary>How many different loops were compiled.</summary>
    public int CompiledCount => _loops.Count;

    /// <summary>Elements at once in a loop over packs; 1 where it has none.</summary>
    public int PackOf(LoopShape shape, LoopInput[] inputs) => _packs.GetOrAdd(KeyOf(shape, inputs), _ =>
    {
        var pack = LoopBody.PackOf(shape, inputs);
        return LoopBody.Of(shape, inputs, 1).Instructions.Count * pack <= MostInstructions ? pack : 1;
    });

    /// <summary>The program with a loop's kernel, compiled once for all tensors that are merged alike.</summary>
    public DeviceModule Loop(LoopShape shape, LoopInput[] inputs, int pack) => _loops.GetOrAdd(
        $"{pack}:{KeyOf(shape, inputs)}",
        _ => new(() => context.Load("a method's expression", TextOf(context.Language, shape, inputs, pack)))).Value;

    /// <summary>The name of a loop's kernel.</summary>
    public const string LoopName = "loop";

    public static string TextOf(ProgramLanguage language, LoopShape shape, LoopInput[] inputs, int pack) =>
        language == ProgramLanguage.Ptx
            ? PtxText.Head + PtxText.Of(LoopName, shape, inputs, pack)
            : OpenClText.Head + OpenClText.Of(LoopName, shape, inputs, pack);

    public nint Allocate(long bytes)
    {
        var memory = context.AllocatePinned(bytes);
        _pinned[memory.Address] = memory;
        return memory.Address;
    }

    public void Free(nint address)
    {
        if (_pinned.TryRemove(address, out var memory))
            memory.Dispose();
    }

    public void Dispose()
    {
        foreach (var module in _loops.Values.Append(_fixed).Where(m => m.IsValueCreated))
            module.Value.Dispose();
        foreach (var memory in _pinned.Values)
            memory.Dispose();
        context.Dispose();
    }

    private static string KeyOf(LoopShape shape, LoopInput[] inputs) =>
        $"{string.Join(',', inputs.Select(i => i.Source))};{shape.Key}";
}

using System.Collections.Concurrent;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Compute.Gpu.Emission;

namespace Merge.Compute.Gpu;

/// <summary>A device in use, and what was compiled for it; any thread may call it.</summary>
internal sealed class GpuDevice(DeviceContext context) : IHostMemory, IDisposable
{
    private readonly ConcurrentDictionary<string, LoopProgram> _loops = new();
    private readonly ConcurrentDictionary<nint, PinnedBuffer> _pinned = new();
    private readonly Lazy<DeviceModule> _fixed = new(() => FixedKernels.Load(context));

    public DeviceContext Context => context;

    public DeviceModule Fixed => _fixed.Value;

    /// <summary>What is on the device to stay.</summary>
    public DeviceMirrors Mirrors { get; } = new(context);

    /// <summary>How many programs were compiled for loops.</summary>
    public int CompiledCount => _loops.Values.Sum(l => l.CompiledCount);

    /// <summary>The one program of all loops that are alike.</summary>
    public LoopProgram Loop(LoopShape shape, LoopInput[] inputs) => _loops.GetOrAdd(
        $"{string.Join(',', inputs.Select(i => i.Source))};{shape.Key}", _ => new(context, shape, inputs));

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
        foreach (var loop in _loops.Values)
            loop.Dispose();
        if (_fixed.IsValueCreated)
            _fixed.Value.Dispose();
        foreach (var memory in _pinned.Values)
            memory.Dispose();
        context.Dispose();
    }
}

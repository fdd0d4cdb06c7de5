using Merge.Compute;
using Merge.Compute.Cpu;

namespace Merge.Merging;

/// <summary>What one thread owns while it works: a buffer an input, one for the output, scratch for kernels.</summary>
/// <param name="memory">Where its buffers are; null: anywhere.</param>
internal sealed class Worker(IHostMemory? memory = null) : IDisposable
{
    private readonly List<NativeBuffer> _inputs = [];

    public NativeBuffer Output { get; } = new(memory);

    public Workspace Workspace { get; } = new();

    public NativeBuffer Input(int slot)
    {
        while (_inputs.Count <= slot)
            _inputs.Add(new NativeBuffer(memory));
        return _inputs[slot];
    }

    public void Dispose()
    {
        // First what may still copy from the buffers.
        Workspace.Dispose();
        foreach (var input in _inputs)
            input.Dispose();
        Output.Dispose();
    }
}

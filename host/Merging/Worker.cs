using Merge.Compute.Cpu;

namespace Merge.Merging;

/// <summary>What one thread owns while it works: a buffer an input, one for the output, scratch for kernels.</summary>
internal sealed class Worker : IDisposable
{
    private readonly List<NativeBuffer> _inputs = [];

    public NativeBuffer Output { get; } = new();

    public Workspace Workspace { get; } = new();

    public NativeBuffer Input(int slot)
    {
        while (_inputs.Count <= slot)
            _inputs.Add(new NativeBuffer());
        return _inputs[slot];
    }

    public void Dispose()
    {
        foreach (var input in _inputs)
            input.Dispose();
        Output.Dispose();
        Workspace.Dispose();
    }
}

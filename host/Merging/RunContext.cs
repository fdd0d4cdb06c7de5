using Merge.Checkpoints;
using Merge.Compute.Cpu;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What every job of one run shares.</summary>
internal class RunContext
{
    /// <summary>The method at work, for messages.</summary>
    public required string Method { get; init; }

    public required ulong Seed { get; init; }

    public required RunSettings Settings { get; init; }

    public required ILinearAlgebra LinearAlgebra { get; init; }

    public CpuCompiler Compiler { get; } = new();

    public required Checksums Checksums { get; init; }

    public RunProgress Progress { get; init; } = new();

    /// <summary>
    /// Elements of a block: about <see cref="RunSettings.BlockBytes"/> of inputs and output, whole units.
    /// </summary>
    /// <param name="plan">The tensor, for messages.</param>
    /// <param name="inputs">The stored tensors read.</param>
    /// <param name="outputBytes">Bytes an output element takes; 0 in a sweep.</param>
    /// <param name="unit">Fewest consecutive elements that can be worked on alone.</param>
    public long BlockLength(TensorPlan plan, IEnumerable<StoredTensor> inputs, int outputBytes, long unit)
    {
        var bytes = outputBytes + inputs.Sum(i => i.Length / plan.Info.Count);
        var target = Math.Min(Settings.BlockBytes, Settings.Memory / Settings.Threads / 2);
        var length = Math.Max(target / Math.Max(bytes, 1) / 1024 * 1024, 1024);
        if (unit > length)
            RequireMemory(plan, unit * (bytes + ScratchBytes), unit);
        return Math.Min(Math.Max(length / unit, 1) * unit, Math.Max(plan.Info.Count, 1));
    }

    /// <summary>float32 scratch an element of a row operation takes: operand, result, and one of each in flight.</summary>
    private const int ScratchBytes = 16;

    private void RequireMemory(TensorPlan plan, long bytesPerWorker, long unit)
    {
        var needed = bytesPerWorker * Settings.Threads;
        if (needed > Settings.Memory || bytesPerWorker > int.MaxValue)
        {
            throw new MergeException(new Diagnostic(
                $"{Method} works on {unit} elements of this tensor at once, which takes about {needed >> 20} MB")
            {
                Expected = $"at most {Settings.Memory >> 20} MB",
                Where = plan.Info.Name,
                Fix = $"Raise --memory to {(needed >> 20) + 1}MB, or lower --threads.",
            });
        }
    }
}

/// <summary>Where merged bytes go.</summary>
internal interface ITensorSink
{
    /// <summary>Writes a part of a tensor; several threads write at once.</summary>
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="offset">Bytes from the tensor's start.</param>
    /// <param name="bytes">The part.</param>
    void Write(string tensor, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>All parts of the tensor are written; its inputs' checksums are known.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="checksum">CRC-32C of its output bytes.</param>
    void Finish(TensorPlan tensor, uint checksum);
}

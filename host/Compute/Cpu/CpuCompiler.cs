using System.Collections.Concurrent;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// Makes kernels. Loops are compiled once for all tensors that are merged alike; for a small tensor whose loop is not
/// compiled yet, interpreting it costs less. The bits are the same.
/// </summary>
/// <param name="width">Lanes of the registers to use: 16, 8, 4, 1; 0 interprets everything.</param>
/// <param name="smallestCompiled">Below this many elements a loop is interpreted unless it is compiled already.</param>
internal sealed class CpuCompiler(int width, long smallestCompiled)
{
    /// <summary>Elements of float32 scratch that one buffer can hold.</summary>
    private const long LargestUnit = int.MaxValue / sizeof(float);

    private readonly ConcurrentDictionary<string, Lazy<LoopCode>> _compiled = new();

    public CpuCompiler()
        : this(LoopEmitter.WidestLanes, 1 << 15)
    {
    }

    /// <summary>How many different loops were compiled.</summary>
    public int CompiledCount => _compiled.Count;

    /// <param name="recording">What to evaluate.</param>
    /// <param name="inputTypes">Stored type of every input slot: one that is merged.</param>
    /// <param name="outputTypes">Stored type every root is written in.</param>
    /// <param name="tensorName">Decides the random numbers, with the seed.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="draws">What was drawn for this tensor before, if that is kept.</param>
    public IKernel Compile(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        IReadOnlyList<DType> outputTypes,
        string tensorName,
        ulong seed,
        DrawMemory? draws = null)
    {
        if (recording.Unit > LargestUnit)
        {
            throw new MergeException(new Diagnostic(
                $"the method works on {recording.Unit} elements of this tensor at once")
            {
                Expected = $"at most {LargestUnit}",
                Where = tensorName,
                Fix = "Merge this tensor by a method that works block by block.",
            });
        }
        return new KernelBuilder(recording, inputTypes, outputTypes, Philox.KeyOf(seed, tensorName), Loop, draws).Build();
    }

    private ILoop Loop(LoopShape shape, LoopNumbers numbers, long elements)
    {
        if (width == 0 || (elements < smallestCompiled && !_compiled.ContainsKey(shape.Key)))
            return new InterpretedLoop(shape, numbers);
        var code = _compiled.GetOrAdd(shape.Key, _ => new(() => LoopEmitter.Emit(shape, width))).Value;
        return new CompiledLoop(shape, numbers, code, width);
    }
}

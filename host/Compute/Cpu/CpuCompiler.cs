using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// Makes kernels. Loops are compiled once for all tensors that are merged alike; until a loop has met some elements,
/// interpreting it costs less. The bits are the same.
/// </summary>
/// <param name="width">Lanes of the registers to use: 16, 8, 4, 1; 0 interprets everything.</param>
/// <param name="smallestCompiled">A loop is interpreted until its tensors, added up, have this many elements.</param>
internal sealed class CpuCompiler(int width, long smallestCompiled) : ICompiler
{
    /// <summary>Elements of float32 scratch that one buffer can hold.</summary>
    private const long LargestUnit = int.MaxValue / sizeof(float);

    // A search may go on for days and its candidates differ in shape: what they needed once is not kept for ever.
    private const int MostCompiled = 1 << 11;

    private readonly ConcurrentDictionary<string, Lazy<LoopCode>> _compiled = new();
    private readonly ConcurrentDictionary<string, long> _met = new();

    public CpuCompiler()
        : this(LoopEmitter.WidestLanes, 1 << 15)
    {
    }

    public IReadOnlyList<(string Why, int Tensors)> OnProcessor => [];

    /// <summary>How many different loops were compiled.</summary>
    public int CompiledCount => _compiled.Count;

    public IKernel Compile(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        IReadOnlyList<DType> outputTypes,
        string tensorName,
        ulong seed,
        DrawMemory? draws = null)
    {
        RequireUnit(recording, tensorName);
        var key = Philox.KeyOf(seed, tensorName);
        return new Kernel(
            new KernelBuilder(recording, inputTypes, outputTypes, key, draws).Build(),
            loop => Loop(loop.Shape, loop.Numbers, recording.Tensor.Count));
    }

    public IKernel CompileOperands(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        string tensorName,
        ulong seed,
        bool onDevice,
        DrawMemory? draws = null) =>
        Compile(recording, inputTypes, [.. recording.Roots.Select(_ => DType.F32)], tensorName, seed, draws);

    /// <exception cref="MergeException">The expressions need more elements at once than a block can have.</exception>
    public static void RequireUnit(Recording recording, string tensorName)
    {
        if (recording.Unit <= LargestUnit)
            return;
        throw new MergeException(new Diagnostic(
            $"the method works on {recording.Unit} elements of this tensor at once")
        {
            Expected = $"at most {LargestUnit}",
            Where = tensorName,
            Fix = "Merge this tensor by a method that works block by block.",
        });
    }

    public IKernel Combine(Combinations combinations) => width switch
    {
        16 => new CombinationKernel<Lanes512, Vector512<float>, Vector512<int>>(combinations),
        8 => new CombinationKernel<Lanes256, Vector256<float>, Vector256<int>>(combinations),
        4 => new CombinationKernel<Lanes128, Vector128<float>, Vector128<int>>(combinations),
        _ => new CombinationKernel<Lanes1, float, int>(combinations),
    };

    private ILoop Loop(LoopShape shape, LoopNumbers numbers, long elements)
    {
        if (width == 0)
            return new InterpretedLoop(shape, numbers);
        if (!_compiled.ContainsKey(shape.Key))
        {
            if (_met.AddOrUpdate(shape.Key, elements, (_, met) => met + elements) < smallestCompiled)
                return new InterpretedLoop(shape, numbers);
            if (_compiled.Count >= MostCompiled)
            {
                _compiled.Clear();
                _met.Clear();
            }
        }
        var code = _compiled.GetOrAdd(shape.Key, _ => new(() => LoopEmitter.Emit(shape, width))).Value;
        return new CompiledLoop(shape, numbers, code, width);
    }
}

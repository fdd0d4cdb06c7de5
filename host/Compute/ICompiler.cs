using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>Makes kernels for a device. Whatever the device, the bits are the same.</summary>
internal interface ICompiler
{
    /// <summary>A kernel of which <see cref="IKernel.Run"/> is called.</summary>
    /// <param name="recording">What to evaluate.</param>
    /// <param name="inputTypes">Stored type of every input slot: one that is merged.</param>
    /// <param name="outputTypes">Stored type every root is written in.</param>
    /// <param name="tensorName">Decides the random numbers, with the seed.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="draws">What was drawn for this tensor before, if that is kept.</param>
    /// <exception cref="MergeException">It needs more elements at once than a block can have.</exception>
    IKernel Compile(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        IReadOnlyList<DType> outputTypes,
        string tensorName,
        ulong seed,
        DrawMemory? draws = null);

    /// <summary>
    /// As <see cref="Compile"/>, but its values are float32 and reduced: <see cref="IKernel.RunTiles"/> is called, or what
    /// another device's kernel has instead.
    /// </summary>
    /// <param name="recording">What to evaluate.</param>
    /// <param name="inputTypes">As above.</param>
    /// <param name="tensorName">As above.</param>
    /// <param name="seed">As above.</param>
    /// <param name="onDevice">Whether a device can reduce all of them.</param>
    /// <param name="draws">As above.</param>
    IKernel CompileOperands(
        Recording recording,
        IReadOnlyList<DType> inputTypes,
        string tensorName,
        ulong seed,
        bool onDevice,
        DrawMemory? draws = null);

    /// <summary>What the processor does although the kernels are for another device.</summary>
    IReadOnlyList<(string Why, int Tensors)> OnProcessor { get; }

    /// <summary>A kernel for linear combinations, with the bits the same sums would have as expressions.</summary>
    IKernel Combine(Combinations combinations);
}

using System.Numerics;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What every job of one run shares.</summary>
internal class RunContext
{
    private readonly Lazy<ICompiler> _compiler;

    public RunContext() => _compiler = new(() => Given ?? Settings!.NewCompiler());

    /// <summary>The method at work, for messages.</summary>
    public required string Method { get; init; }

    public required ulong Seed { get; init; }

    public required RunSettings Settings { get; init; }

    public AlgebraUse Algebra { get; init; } = new(LinearAlgebraChoice.OfProcess);

    /// <summary>Makes the kernels; for the settings' device, unless one is given that has made some before.</summary>
    public ICompiler Compiler
    {
        get => _compiler.Value;
        init => Given = value;
    }

    private ICompiler? Given { get; init; }

    public required Checksums Checksums { get; init; }

    public RunProgress Progress { get; init; } = new();

    /// <summary>
    /// Elements of a block: about <see cref="RunSettings.BlockBytes"/> of inputs and output, whole units.
    /// </summary>
    /// <param name="plan">The tensor.</param>
    /// <param name="inputs">The tensors read.</param>
    /// <param name="outputBytes">Bytes an output element takes; 0 in a sweep.</param>
    /// <param name="unit">Fewest consecutive elements that can be worked on alone.</param>
    public long BlockLength(TensorPlan plan, IEnumerable<TensorSource> inputs, int outputBytes, long unit)
    {
        var bytes = ElementBytes(plan, inputs, outputBytes);
        var target = Math.Min(Settings.BlockBytes, Settings.Memory / Settings.Threads / 2);
        var length = Math.Max(target / Math.Max(bytes, 1) / 1024 * 1024, 1024);
        // Where whole blocks of 1024 come out even with what a tensor is read in, blocks begin there.
        var grain = inputs.Select(i => i.Grain).DefaultIfEmpty(1).Max();
        grain *= 1024 / (long)BigInteger.GreatestCommonDivisor(grain, 1024);
        if (unit == 1 && grain <= length)
            length = length / grain * grain;
        return Math.Min(Math.Max(length / unit, 1) * unit, Math.Max(plan.Info.Count, 1));
    }

    /// <summary>Whether the budget has room.</summary>
    /// <param name="each">Bytes every worker needs.</param>
    /// <param name="held">Bytes needed once.</param>
    public bool HasRoom(long each, long held) =>
        ((Int128)each * Settings.Threads) + held <= Settings.Memory && each <= int.MaxValue;

    /// <summary>Refuses what does not fit the budget, before it is allocated.</summary>
    /// <param name="plan">The tensor.</param>
    /// <param name="why">What needs the memory, in words.</param>
    /// <param name="each">Bytes every worker needs.</param>
    /// <param name="held">Bytes needed once.</param>
    public void RequireMemory(TensorPlan plan, string why, long each, long held)
    {
        if (!HasRoom(each, held))
            throw NoRoom(Method, Settings, plan, why, each, held);
    }

    /// <summary>The reason that what is needed does not fit a budget.</summary>
    public static MergeException NoRoom(string method, RunSettings settings, TensorPlan plan, string why, long each, long held)
    {
        var needed = ((Int128)each * settings.Threads) + held;
        return new MergeException(new Diagnostic(
            $"{method} {why}, which takes {DiskSpace.Text((long)Int128.Min(needed, long.MaxValue))} with {settings.Threads} threads")
        {
            Expected = $"at most {DiskSpace.Text(settings.Memory)}",
            Where = plan.Info.Name,
            Fix = each > int.MaxValue
                ? "A block of more than 2 GB is not supported: this method cannot merge this tensor."
                : $"Raise --memory to {(Math.Min(settings.Enough(each, held), long.MaxValue - 1_000_000) / 1_000_000) + 1}MB, or lower --threads.",
        });
    }

    /// <summary>Bytes one element takes in all inputs and the output.</summary>
    public static long ElementBytes(TensorPlan plan, IEnumerable<TensorSource> inputs, int outputBytes) =>
        outputBytes + inputs.Sum(i => i.Length / plan.Info.Count);
}

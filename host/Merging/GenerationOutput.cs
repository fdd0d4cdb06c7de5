using Merge.Checkpoints;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// How one tensor of several candidates is computed: which inputs are read, the kernels that run over each block of
/// them, and the outputs, each once however many candidates it serves.
/// </summary>
internal sealed class GenerationOutput
{
    private readonly GenerationContext _context;
    private readonly TensorPlan _plan;
    private readonly ScanOf _scan;
    private readonly List<TensorSource> _inputs = [];
    private readonly Dictionary<TensorSource, int> _slots = [];
    private readonly List<GeneratedOutput> _computed = [];
    private readonly List<GeneratedOutput> _copied = [];
    private readonly List<GenerationKernel> _kernels = [];

    public GenerationOutput(GenerationContext context, TensorPlan plan, ScanOf scan, IReadOnlyList<GenerationShare> shares)
    {
        (_context, _plan, _scan) = (context, plan, scan);
        var unit = 1L;
        if (shares.Where(s => s.Lowered.Sum is not null).ToArray() is { Length: > 0 } sums)
            Combine(sums);
        if (shares.Where(s => s.Lowered.Expression is not null).ToArray() is { Length: > 0 } expressions)
            unit = Evaluate(expressions);
        foreach (var copies in shares.Where(s => s.Lowered.Copied is not null).GroupBy(s => Slot(s.Lowered.Copied!)))
            _copied.Add(new([.. copies], () => [copies.Key]));
        PartLength = context.BlockLength(plan, _inputs, OutputBytes * _computed.Count, unit);
    }

    /// <summary>What is read, one a slot.</summary>
    public IReadOnlyList<TensorSource> Inputs => _inputs;

    public IReadOnlyList<GenerationKernel> Kernels => _kernels;

    /// <summary>Outputs of the kernels, in their order.</summary>
    public IReadOnlyList<GeneratedOutput> Computed => _computed;

    /// <summary>Outputs that are the bytes of one input.</summary>
    public IReadOnlyList<GeneratedOutput> Copied => _copied;

    /// <summary>Elements of a part.</summary>
    public long PartLength { get; }

    /// <summary>Bytes of an element of one output.</summary>
    public int OutputBytes => _plan.OutType.Bits() / 8;

    /// <summary>Bytes every worker needs.</summary>
    public long WorkerBytes =>
        (PartLength * RunContext.ElementBytes(
            _plan, _inputs.Where(i => i is not ResidentTensor), OutputBytes * _computed.Count))
        + _kernels.Select(k => k.Kernel.ScratchBytes).DefaultIfEmpty(0).Max();

    private int Slot(TensorSource source)
    {
        if (_slots.TryGetValue(source, out var slot))
            return slot;
        _inputs.Add(source);
        return _slots[source] = _inputs.Count - 1;
    }

    private void Combine(GenerationShare[] shares)
    {
        var values = new List<CombinedValue>();
        var known = new Dictionary<(int Model, bool Delta), int>();
        var slots = new List<int>();

        int Value(int model, bool delta)
        {
            if (known.TryGetValue((model, delta), out var index))
                return index;
            var minus = delta ? Value(-1, false) : -1;
            slots.Add(Slot(_plan.Stored(new InputKey(null, model))));
            values.Add(new(slots.Count - 1, minus));
            return known[(model, delta)] = values.Count - 1;
        }

        var rows = new List<Combination>();
        foreach (var equal in shares.GroupBy(s => s.Lowered.Sum!, ModelSum.Equality))
        {
            var sum = equal.Key;
            var row = new Combination(
                [.. sum.Models.Select(m => Value(m, sum.Deltas))], sum.Weights, sum.Deltas ? Value(-1, false) : -1);
            rows.Add(row);
            IEnumerable<int> models = sum.Deltas ? [-1, .. sum.Models] : sum.Models;
            _computed.Add(new([.. equal], () => [.. models.Select(m => Slot(_plan.Stored(new InputKey(null, m))))]));
        }
        var types = slots.Select(s => _inputs[s].DType).ToArray();
        _kernels.Add(new(
            _context.Compiler.Combine(new(types, _plan.OutType, values, rows)), [.. slots], rows.Count, false));
    }

    /// <summary>Adds kernels for expressions; gives the elements they must have at once.</summary>
    private long Evaluate(GenerationShare[] shares)
    {
        var all = Recording.Of(_plan.Info, [.. shares.Select(s => s.Lowered.Expression!)], _scan.Substitute);
        var equal = shares.Zip(all.Roots).GroupBy(s => s.Second, s => s.First).Select(s => s.ToArray()).ToArray();

        // An author's own loop may throw: it takes none with it but those that asked for it.
        var kernels = all.HasMap ? equal.Select(e => new[] { e }) : [equal];
        return kernels.Max(Compile);
    }

    private long Compile(GenerationShare[][] shares)
    {
        Node[] roots = [.. shares.Select(s => s[0].Lowered.Expression!)];
        var recording = Recording.Of(_plan.Info, roots, _scan.Substitute);
        var sources = recording.Inputs.Select(_plan.Stored).ToArray();
        int[] slots = [.. sources.Select(Slot)];
        var kernel = _context.Compiler.Compile(
            recording, [.. sources.Select(s => s.DType)], [.. roots.Select(_ => _plan.OutType)], _plan.Info.Name,
            _context.Seed);
        _kernels.Add(new(kernel, slots, roots.Length, recording.HasMap));
        foreach (var (k, some) in shares.Index())
        {
            _computed.Add(new(some, () =>
                [.. Recording.Of(_plan.Info, [roots[k]], _scan.Substitute).Inputs.Select(i => Slot(_plan.Stored(i)))]));
        }
        return recording.Unit;
    }
}

/// <summary>What runs over each block and computes the next <paramref name="Outputs"/> outputs.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Slots">Which inputs it reads, in its own order.</param>
/// <param name="Outputs">How many.</param>
/// <param name="HasMap">Whether an author's own loop is in it.</param>
internal sealed record GenerationKernel(IKernel Kernel, int[] Slots, int Outputs, bool HasMap);

/// <summary>One output of a generation, for all candidates that ask for the same.</summary>
/// <param name="Shares">Whose it is.</param>
/// <param name="Slots">The inputs it depends on.</param>
internal sealed record GeneratedOutput(GenerationShare[] Shares, Func<int[]> Slots);

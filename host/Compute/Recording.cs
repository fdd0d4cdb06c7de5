using Merge.Sdk;

namespace Merge.Compute;

/// <summary>One operation of a <see cref="Recording"/>; arguments are indices of earlier terms.</summary>
internal sealed record Term(Op Op, int[] Args, Node Node)
{
    /// <summary>For <see cref="Op.Input"/>: the slot in <see cref="Recording.Inputs"/>.</summary>
    public int Slot { get; init; }
}

/// <summary>
/// Expressions of one tensor, lowered once: equal nodes shared, dead ones gone, arguments before what uses them.
/// </summary>
internal sealed class Recording
{
    private readonly List<Term> _terms = [];
    private readonly List<InputKey> _inputs = [];
    private readonly Dictionary<Node, int> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Identity, int> _equal = [];
    private readonly Func<InputKey, Node?>? _substitute;

    private Recording(TensorInfo tensor, Func<InputKey, Node?>? substitute)
    {
        Tensor = tensor;
        _substitute = substitute;
    }

    /// <param name="tensor">The tensor the expressions belong to.</param>
    /// <param name="roots">The values asked for; a mask gives 1 and 0.</param>
    /// <param name="substitute">Another expression for an input, if any; its own inputs are not replaced again.</param>
    public static Recording Of(
        TensorInfo tensor, IReadOnlyList<Node> roots, Func<InputKey, Node?>? substitute = null)
    {
        var recording = new Recording(tensor, substitute);
        recording.Roots = [.. roots.Select(recording.LowerRoot)];
        return recording;
    }

    public TensorInfo Tensor { get; }

    public IReadOnlyList<Term> Terms => _terms;

    /// <summary>The term of every root, in the order asked for.</summary>
    public IReadOnlyList<int> Roots { get; private set; } = [];

    /// <summary>Streamed tensors that are read, in slot order.</summary>
    public IReadOnlyList<InputKey> Inputs => _inputs;

    /// <summary>
    /// Fewest consecutive elements that can be evaluated alone: 1, or with operations along an axis the product of the
    /// sizes from the outermost such axis on.
    /// </summary>
    public long Unit => _terms.Where(t => t.Op >= Op.SumAlong)
        .Select(t => SizeFrom(t.Node.Axis)).DefaultIfEmpty(1).Max();

    /// <summary>Whether an author's own loop is in it, which no device but the CPU can run.</summary>
    public bool HasMap => _terms.Any(t => t.Op == Op.Map);

    /// <summary>Product of the sizes from an axis on.</summary>
    public long SizeFrom(int axis)
    {
        var size = 1L;
        for (var i = axis; i < Tensor.Rank; i++)
            size *= Tensor.Shape[i];
        return size;
    }

    private int LowerRoot(Node root)
    {
        var term = Lower(root);
        return !root.IsMask ? term : Lower(Node.Of(Op.Where, root, Node.Constant(1), Node.Constant(0)));
    }

    // Without recursion: a sum over many models is a deep chain.
    private int Lower(Node root)
    {
        var open = new Stack<Node>();
        open.Push(root);
        while (open.TryPeek(out var node))
        {
            if (_known.ContainsKey(node))
            {
                open.Pop();
                continue;
            }
            if (node.Op == Op.Input && _substitute?.Invoke(node.Input) is { } other)
            {
                _known[node] = new Substitution(this).Lower(other);
                continue;
            }
            var missing = false;
            for (var i = node.Args.Length - 1; i >= 0; i--)
            {
                if (!_known.ContainsKey(node.Args[i]))
                {
                    open.Push(node.Args[i]);
                    missing = true;
                }
            }
            if (!missing)
                _known[node] = Share(node, [.. node.Args.Select(a => _known[a])]);
        }
        return _known[root];
    }

    private int Share(Node node, int[] args)
    {
        // The same bits as the root that hardware has.
        if (node.Op == Op.Pow && _terms[args[1]] is { Op: Op.Constant, Node.Value: 0.5f })
            (node, args) = (new Node(node.Scope!, Op.Sqrt, node.Args[0]), [args[0]]);
        // Its argument, but NaN below zero as every power.
        if (node.Op == Op.Pow && _terms[args[1]] is { Op: Op.Constant, Node.Value: 1f })
        {
            var isPower = Share(new Node(node.Scope!, Op.GreaterOrEqual, node.Args[0]), [args[0], Number(0)]);
            (node, args) = (new Node(node.Scope!, Op.Where, node.Args[0]), [isPower, args[0], Number(float.NaN)]);
        }

        var identity = new Identity(
            node.Op,
            args.Length > 0 ? args[0] : -1,
            args.Length > 1 ? args[1] : -1,
            args.Length > 2 ? args[2] : -1,
            node.Op == Op.Constant ? BitConverter.SingleToInt32Bits(node.Value) : node.Axis + node.Stream,
            node.Input,
            node.Op == Op.Map ? node : node.Data);
        if (_equal.TryGetValue(identity, out var known))
            return known;

        var slot = 0;
        if (node.Op == Op.Input)
        {
            slot = _inputs.Count;
            _inputs.Add(node.Input);
        }
        _terms.Add(new Term(node.Op, args, node) { Slot = slot });
        _equal.Add(identity, _terms.Count - 1);
        return _terms.Count - 1;
    }

    private int Number(float value) => Share(Node.Constant(value), []);

    private readonly record struct Identity(Op Op, int A, int B, int C, int Number, InputKey Input, object? Data);

    /// <summary>Lowers what stands for an input into the same recording, without replacing inputs again.</summary>
    private readonly struct Substitution(Recording into)
    {
        public int Lower(Node node)
        {
            var recording = into;
            var lower = this;
            return recording.Share(node, [.. node.Args.Select(lower.Lower)]);
        }
    }
}

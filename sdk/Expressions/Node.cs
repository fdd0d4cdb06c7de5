namespace Merge.Sdk;

/// <summary>Every operation a recorded expression is made of. The comment gives value and arguments.</summary>
internal enum Op
{
    // Leaves
    Input,          // an InputKey: one element of a streamed tensor, widened to float32
    Constant,       // Value
    RowVector,      // float[] Data, one a row (vector along the last axis), repeated along it
    ColumnVector,   // float[] Data, one a position along the last axis, repeated for every row
    MatrixView,     // Matrix Data, the element at this place
    LowRank,        // (Matrix B, Matrix A) Data: the element of B·A at this place
    Uniform,        // [0, 1), 24 bits, Philox; Stream
    Map,            // MapCall Data: an author's own loop over Args

    // One argument
    Negate, Abs, Sqrt, Exp, Log, Sign,

    // Two arguments
    Add, Subtract, Multiply, Divide, Min, Max, Pow,

    // Three
    FusedMultiplyAdd,   // Args[0]·Args[1] + Args[2], rounded once
    Where,              // mask, value if set, value if not

    // Masks
    Greater, GreaterOrEqual, Less, LessOrEqual, Equal, And, Or, Not,
    KeptBy,             // Args[0] is the score; Data is a Cut

    // Along Axis (already made non-negative); the result is repeated along it
    SumAlong, MaxAlong, DotAlong, RankAlong,
}

/// <summary>Which streamed tensor an <see cref="Op.Input"/> reads.</summary>
/// <param name="Side">Null for the parameter itself, else the side input's name.</param>
/// <param name="Model">The model's index, -1 for the base.</param>
internal readonly record struct InputKey(string? Side, int Model);

/// <summary>The author's own loop behind an <see cref="Op.Map"/>.</summary>
internal sealed record MapCall(SpanKernel Kernel);

/// <summary>One node of a recorded expression. Immutable; compared by reference, shared by the compiler where equal.</summary>
internal sealed class Node
{
    public Node(object scope, Op op, params Node[] args)
    {
        Scope = scope;
        Op = op;
        Args = args;
    }

    /// <summary>The tensor whose expression it is; null for constants, which fit everywhere.</summary>
    public object? Scope { get; }

    public Op Op { get; }

    public Node[] Args { get; }

    public float Value { get; init; }

    public InputKey Input { get; init; }

    public int Axis { get; init; }

    public int Stream { get; init; }

    public object? Data { get; init; }

    public bool IsMask => Op is >= Op.Greater and <= Op.KeptBy;

    public static Node Constant(float value) => new(null!, Op.Constant) { Value = value };

    /// <summary>A node over arguments that must all belong to one tensor.</summary>
    public static Node Of(Op op, params ReadOnlySpan<Node> args)
    {
        return new Node(ScopeOf(args)!, op, args.ToArray());
    }

    public static object? ScopeOf(ReadOnlySpan<Node> args)
    {
        object? scope = null;
        foreach (var arg in args)
        {
            if (arg.Scope is null)
                continue;
            if (scope is not null && !ReferenceEquals(scope, arg.Scope))
            {
                throw MergeException.Plugin(
                    "an expression mixes values recorded for two different tensors",
                    expected: "every value of an expression to come from the same block",
                    fix: "Use only the block that the lambda is given; carry numbers, not expressions, between tensors.");
            }
            scope = arg.Scope;
        }
        return scope;
    }
}

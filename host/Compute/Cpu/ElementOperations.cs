using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>What an operation of an expression does with the lanes of its arguments.</summary>
internal static class ElementOperations<L, F, I>
    where L : struct, ILanes<F, I>
    where F : struct
    where I : struct
{
    public static F Apply(Op op, F a, F b, F c) => op switch
    {
        Op.Negate => Arithmetic<L, F, I>.Negate(a),
        Op.Abs => L.Abs(a),
        Op.Sqrt => L.Sqrt(a),
        Op.Exp => Arithmetic<L, F, I>.Exp(a),
        Op.Log => Arithmetic<L, F, I>.Log(a),
        Op.Sign => Arithmetic<L, F, I>.Sign(a),
        Op.Add => L.Add(a, b),
        Op.Subtract => L.Subtract(a, b),
        Op.Multiply => L.Multiply(a, b),
        Op.Divide => L.Divide(a, b),
        Op.Min => L.Min(a, b),
        Op.Max => L.Max(a, b),
        Op.Pow => Arithmetic<L, F, I>.Pow(a, b),
        Op.FusedMultiplyAdd => L.FusedMultiplyAdd(a, b, c),
        Op.Where => L.Where(a, b, c),
        Op.Greater => L.Greater(a, b),
        Op.GreaterOrEqual => L.GreaterOrEqual(a, b),
        Op.Less => L.Less(a, b),
        Op.LessOrEqual => L.LessOrEqual(a, b),
        Op.Equal => L.Equal(a, b),
        Op.And => L.And(a, b),
        Op.Or => L.Or(a, b),
        Op.Not => L.Not(a),
        _ => throw new NotSupportedException($"{op} is not element-wise"),
    };
}

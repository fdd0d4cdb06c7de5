using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

/// <summary>Expressions, shapes, types and partitions drawn from a seed.</summary>
internal sealed class RandomExpressions(ulong seed)
{
    private uint _draws;

    public int Below(int limit) => (int)(Philox.Words((_draws++, 0, 0, 0), seed).X % (uint)limit);

    public DType Type() => Below(4) switch { 0 => DType.F32, 1 => DType.BF16, 2 => DType.F16, _ => DType.F64 };

    public long[] Shape(int elements)
    {
        switch (Below(4))
        {
            case 0:
                return [1 + Below(elements)];
            case 1:
                var rows = 1 + Below(20);
                return [rows, 1 + Below(Math.Max(elements / rows, 1))];
            case 2:
                return [1 + Below(5), 1 + Below(7), 1 + Below(Math.Max(elements / 35, 1))];
            default:
                return [1 + Below(Math.Max(elements / 3, 1)), 1 + Below(3)];
        }
    }

    public TensorExpr Value(Block block, TensorInfo info, int steps, bool along)
    {
        TensorExpr Rows() => block.Rows([.. Enumerable.Range(0, (int)info.RowCount).Select(k => k * 0.1)]);
        TensorExpr Columns() => block.Columns([.. Enumerable.Range(0, (int)info.RowLength).Select(k => 1 - (k * 0.1))]);
        List<TensorExpr> values = [block.Base, .. block.Models, .. block.Deltas, 0.3f, -2f];
        List<TensorMask> masks = [block.Base > 0f];
        TensorExpr Any() => values[^(1 + Below(Math.Min(values.Count, 8)))];
        TensorMask AnyMask() => masks[Below(masks.Count)];
        for (var i = 0; i < steps; i++)
        {
            var (a, b) = (Any(), Any());
            var own = a.Node.Scope is null ? a + block.Base : a;
            switch (Below(along ? 34 : 26))
            {
                case 0: values.Add(a + b); break;
                case 1: values.Add(a - b); break;
                case 2: values.Add(a * b); break;
                case 3: values.Add(a / b); break;
                case 4: values.Add(TensorExpr.Min(a, b)); break;
                case 5: values.Add(TensorExpr.Max(a, b)); break;
                case 6: values.Add(a.Pow(b)); break;
                case 7: values.Add(a.MultiplyAdd(b, Any())); break;
                case 8: values.Add(-a); break;
                case 9: values.Add(a.Abs()); break;
                case 10: values.Add(a.Sqrt()); break;
                case 11: values.Add(a.Exp()); break;
                case 12: values.Add(a.Log()); break;
                case 13: values.Add(a.Sign()); break;
                case 14: values.Add(AnyMask().Select(a, b)); break;
                case 15: masks.Add(a > b); break;
                case 16: masks.Add(a >= b); break;
                case 17: masks.Add(a < b); break;
                case 18: masks.Add(a <= b); break;
                case 19: masks.Add(a.EqualTo(b)); break;
                case 20: masks.Add(AnyMask() & AnyMask()); break;
                case 21: masks.Add(AnyMask() | AnyMask()); break;
                case 22: masks.Add(!AnyMask()); break;
                case 23:
                    var limit = Below(3) == 0 ? long.MaxValue : Below((int)info.Count + 1);
                    float[] ends = [float.NaN, -0f, 0.25f, float.NegativeInfinity, 1f];
                    masks.Add((values[Below(5)] + 0f).KeptBy(new Cut(ends[Below(5)], limit)));
                    break;
                case 24: values.Add(block.Uniform(Below(3))); break;
                case 25: values.Add(a.Pow(Below(2) == 0 ? 0.5f : 1f)); break;
                case 26: values.Add(Rows()); break;
                case 27: values.Add(Columns()); break;
                case 28: values.Add(block.Map([a, b], AddUp)); break;
                case 29: values.Add(own.SumAlong(Below(info.Rank))); break;
                case 30: values.Add(own.MaxAlong(Below(info.Rank))); break;
                case 31: values.Add(own.DotAlong(b, Below(info.Rank))); break;
                case 32: values.Add(own.RankAlong(Below(info.Rank))); break;
                case 33: values.Add(Below(2) == 0 ? Rows() * Columns() : Columns() * Rows()); break;
            }
        }
        return values[^1] is { Node.Scope: null } ? values[^1] + block.Base : AnyMask().Select(values[^1], values[^2]);
    }

    private static void AddUp(SpanList inputs, Span<float> output)
    {
        for (var i = 0; i < output.Length; i++)
            output[i] = inputs[0][i] + (2 * inputs[1][i]);
    }

    public long[] Ends(long count, long unit)
    {
        var ends = new SortedSet<long>();
        for (var i = Below(6); i > 0; i--)
            ends.Add(Below((int)(count / unit) + 1) * unit);
        return [.. ends];
    }
}

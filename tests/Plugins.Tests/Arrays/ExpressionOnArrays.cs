using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Plugins.Tests.Arrays;

/// <summary>
/// The value of a recorded expression as a whole array; a mask is 1 and 0. Exp, Log and Pow are the runtime's, in
/// float64 and rounded: the contract allows the host a few units in the last place.
/// </summary>
internal sealed class ExpressionOnArrays(TensorOnArrays tensor)
{
    private readonly Dictionary<Node, float[]> _known = new(ReferenceEqualityComparer.Instance);

    private TensorInfo Info => tensor.Scan.Info;

    public float[] Evaluate(Node node)
    {
        if (!_known.TryGetValue(node, out var value))
        {
            value = Compute(node, [.. node.Args.Select(Evaluate)]);
            _known.Add(node, value);
        }
        return value;
    }

    private float[] Compute(Node node, float[][] args)
    {
        var row = (long)Info.RowLength;
        return node.Op switch
        {
            Op.Input => tensor.Values(node.Input),
            Op.Constant => Each(_ => node.Value),
            Op.RowVector => Each(e => ((float[])node.Data!)[e / row]),
            Op.ColumnVector => Each(e => ((float[])node.Data!)[e % row]),
            Op.MatrixView => Each(e => (float)((Matrix)node.Data!)[(int)(e / row), (int)(e % row)]),
            Op.LowRank => LowRank(((Matrix B, Matrix A))node.Data!),
            Op.Uniform => PhiloxOnArrays.Uniform(tensor.Seed, Info.Name, node.Stream, (int)Info.Count),
            Op.Map => Map(((MapCall)node.Data!).Kernel, args),
            Op.Negate => Each(e => -args[0][e]),
            Op.Abs => Each(e => MathF.Abs(args[0][e])),
            Op.Sqrt => Each(e => MathF.Sqrt(args[0][e])),
            Op.Exp => Each(e => (float)Math.Exp(args[0][e])),
            Op.Log => Each(e => (float)Math.Log(args[0][e])),
            Op.Sign => Each(e => float.IsNaN(args[0][e]) ? float.NaN : MathF.Sign(args[0][e])),
            Op.Add => Each(e => args[0][e] + args[1][e]),
            Op.Subtract => Each(e => args[0][e] - args[1][e]),
            Op.Multiply => Each(e => args[0][e] * args[1][e]),
            Op.Divide => Each(e => args[0][e] / args[1][e]),
            Op.Min => Each(e => MathF.Min(args[0][e], args[1][e])),
            Op.Max => Each(e => MathF.Max(args[0][e], args[1][e])),
            Op.Pow => Each(e => Pow(args[0][e], args[1][e])),
            Op.FusedMultiplyAdd => Each(e => MathF.FusedMultiplyAdd(args[0][e], args[1][e], args[2][e])),
            Op.Where => Each(e => args[0][e] != 0 ? args[1][e] : args[2][e]),
            Op.Greater => Mask(e => args[0][e] > args[1][e]),
            Op.GreaterOrEqual => Mask(e => args[0][e] >= args[1][e]),
            Op.Less => Mask(e => args[0][e] < args[1][e]),
            Op.LessOrEqual => Mask(e => args[0][e] <= args[1][e]),
            Op.Equal => Mask(e => args[0][e] == args[1][e]),
            Op.And => Mask(e => args[0][e] != 0 && args[1][e] != 0),
            Op.Or => Mask(e => args[0][e] != 0 || args[1][e] != 0),
            Op.Not => Mask(e => args[0][e] == 0),
            Op.KeptBy => Mask(e => OrderOnArrays.Keeps((Cut)node.Data!, args[0][e], e)),
            Op.SumAlong => Along(node.Axis, args[0], v => Repeat((float)v.Sum(x => (double)x), v.Length)),
            Op.MaxAlong => Along(node.Axis, args[0], v => Repeat(v.Aggregate(MathF.Max), v.Length)),
            Op.DotAlong => DotAlong(node.Axis, args[0], args[1]),
            Op.RankAlong => Along(node.Axis, args[0], Ranks),
            _ => throw new NotSupportedException(node.Op.ToString()),
        };
    }

    private float[] Each(Func<int, float> element) => [.. Enumerable.Range(0, (int)Info.Count).Select(element)];

    private float[] Mask(Func<int, bool> element) => Each(e => element(e) ? 1 : 0);

    /// <summary>Applies a function to every vector along an axis.</summary>
    private float[] Along(int axis, float[] values, Func<float[], float[]> function)
    {
        var result = new float[values.Length];
        var length = Info.Rank == 0 ? 1 : (int)Info.Shape[axis];
        var stride = (int)Info.Shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b);
        for (var start = 0; start < values.Length; start++)
        {
            if (start / stride % length != 0)
                continue;
            var places = Enumerable.Range(0, length).Select(k => start + (k * stride)).ToArray();
            var along = function([.. places.Select(p => values[p])]);
            foreach (var (place, value) in places.Zip(along))
                result[place] = value;
        }
        return result;
    }

    private float[] DotAlong(int axis, float[] a, float[] b)
    {
        // The places along the axis are found by sending the indices through Along.
        var indices = Each(e => e);
        return Along(axis, indices, places =>
            Repeat((float)places.Sum(p => (double)a[(int)p] * b[(int)p]), places.Length));
    }

    private static float[] Repeat(float value, int count) => [.. Enumerable.Repeat(value, count)];

    private static float[] Ranks(float[] values)
    {
        var ranks = new float[values.Length];
        var ascending = Enumerable.Range(0, values.Length)
            .OrderBy(i => values[i], Comparer<float>.Create(OrderOnArrays.Compare)); // stable: lower indices come first
        foreach (var (rank, i) in ascending.Index())
            ranks[i] = rank;
        return ranks;
    }

    private float[] LowRank((Matrix B, Matrix A) factors)
    {
        var (b, a) = factors;
        return Each(e =>
        {
            var (i, j) = (int)Info.RowLength is var n ? (e / n, e % n) : default;
            return (float)Enumerable.Range(0, a.Rows).Sum(k => b[i, k] * a[k, j]);
        });
    }

    private static float Pow(float x, float y) => y switch
    {
        0 => 1,
        _ when x < 0 => float.NaN,
        0.5f => MathF.Sqrt(x),
        _ => (float)Math.Pow(x, y),
    };

    // In blocks of three: a kernel must not care how the tensor is cut.
    private float[] Map(SpanKernel kernel, float[][] args)
    {
        var result = new float[Info.Count];
        for (var start = 0; start < result.Length; start += 3)
        {
            var length = Math.Min(3, result.Length - start);
            var pins = args.Select(a => GCHandle.Alloc(a, GCHandleType.Pinned)).ToArray();
            nint[] starts = [.. pins.Select(p => p.AddrOfPinnedObject() + (start * sizeof(float)))];
            kernel(new SpanList(starts, length), result.AsSpan(start, length));
            foreach (var pin in pins)
                pin.Free();
        }
        return result;
    }
}

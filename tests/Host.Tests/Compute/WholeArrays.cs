using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Sdk;
using Calculate = Merge.Compute.Cpu.Arithmetic<Merge.Compute.Cpu.Lanes1, float, int>;

namespace Host.Tests.Compute;

/// <summary>The plainest evaluation there is: every node over the whole tensor, nothing shared, staged or cut.</summary>
internal sealed unsafe class WholeArrays(TensorInfo info, Func<InputKey, float[]> input)
{
    public float[] Of(Node node)
    {
        var n = (int)info.Count;
        var args = node.Args.Select(Of).ToArray();
        var result = new float[n];
        if (node.Op >= Op.SumAlong)
        {
            Along(node, args, result);
            return result;
        }
        if (node.Op == Op.Map)
        {
            var starts = new nint[args.Length];
            var pins = args.Select(a => GCHandle.Alloc(a, GCHandleType.Pinned)).ToArray();
            for (var i = 0; i < starts.Length; i++)
                starts[i] = pins[i].AddrOfPinnedObject();
            ((MapCall)node.Data!).Kernel(new SpanList(starts, n), result);
            foreach (var pin in pins)
                pin.Free();
            return result;
        }
        for (var i = 0; i < n; i++)
            result[i] = Element(node, i, [.. args.Select(a => a[i])]);
        return result;
    }

    private float Element(Node node, int i, float[] a)
    {
        var columns = (int)info.RowLength;
        switch (node.Op)
        {
            case Op.Input: return input(node.Input)[i];
            case Op.Constant: return node.Value;
            case Op.RowVector: return ((float[])node.Data!)[i / columns];
            case Op.ColumnVector: return ((float[])node.Data!)[i % columns];
            case Op.MatrixView: return (float)((Matrix)node.Data!)[i / columns, i % columns];
            case Op.LowRank:
                var (left, right) = ((Matrix, Matrix))node.Data!;
                var sum = 0d;
                for (var k = 0; k < left.Columns; k++)
                    sum += left[i / columns, k] * right[k, i % columns];
                return (float)sum;
            case Op.Uniform:
                var number = 0f;
                Philox.Fill(Philox.KeyOf(Evaluate.Seed, info.Name), node.Stream, i, 1, &number);
                return number;
            case Op.Negate: return -a[0];
            case Op.Abs: return Math.Abs(a[0]);
            case Op.Sqrt: return MathF.Sqrt(a[0]);
            case Op.Exp: return Calculate.Exp(a[0]);
            case Op.Log: return Calculate.Log(a[0]);
            case Op.Sign: return float.IsNaN(a[0]) ? float.NaN : Math.Sign(a[0]);
            case Op.Add: return a[0] + a[1];
            case Op.Subtract: return a[0] - a[1];
            case Op.Multiply: return a[0] * a[1];
            case Op.Divide: return a[0] / a[1];
            case Op.Min: return MathF.Min(a[0], a[1]);
            case Op.Max: return MathF.Max(a[0], a[1]);
            case Op.Pow: return Calculate.Pow(a[0], a[1]);
            case Op.FusedMultiplyAdd: return MathF.FusedMultiplyAdd(a[0], a[1], a[2]);
            case Op.Where: return a[0] != 0 ? a[1] : a[2];
            case Op.Greater: return a[0] > a[1] ? 1 : 0;
            case Op.GreaterOrEqual: return a[0] >= a[1] ? 1 : 0;
            case Op.Less: return a[0] < a[1] ? 1 : 0;
            case Op.LessOrEqual: return a[0] <= a[1] ? 1 : 0;
            case Op.Equal: return a[0] == a[1] ? 1 : 0;
            case Op.And: return a[0] * a[1];
            case Op.Or: return Math.Max(a[0], a[1]);
            case Op.Not: return 1 - a[0];
            case Op.KeptBy:
                var cut = (Cut)node.Data!;
                var order = Compare(a[0], cut.Value);
                return order > 0 || (order == 0 && i < cut.IndexLimit) ? 1 : 0;
            default: throw new NotSupportedException();
        }
    }

    private void Along(Node node, float[][] args, float[] result)
    {
        var length = (int)info.Shape[node.Axis];
        var stride = 1;
        for (var axis = node.Axis + 1; axis < info.Rank; axis++)
            stride *= (int)info.Shape[axis];
        for (var first = 0; first < result.Length; first++)
        {
            if (first / stride % length != 0)
                continue;
            int[] places = [.. Enumerable.Range(0, length).Select(k => first + (k * stride))];
            var x = places.Select(p => args[0][p]).ToArray();
            switch (node.Op)
            {
                case Op.SumAlong or Op.DotAlong:
                    var y = node.Op == Op.DotAlong ? places.Select(p => (double)args[1][p]) : x.Select(_ => 1d);
                    var terms = x.Zip(y, (u, v) => u * v).ToArray();
                    var sum = (float)(stride == 1 ? InLanes(terms) : terms.Aggregate(0d, (s, v) => s + v));
                    foreach (var place in places)
                        result[place] = sum;
                    break;
                case Op.MaxAlong:
                    var largest = x.Aggregate(MathF.Max);
                    foreach (var place in places)
                        result[place] = largest;
                    break;
                default:
                    for (var k = 0; k < length; k++)
                        result[places[k]] = Enumerable.Range(0, length)
                            .Count(j => Compare(x[j], x[k]) is var c && (c < 0 || (c == 0 && j < k)));
                    break;
            }
        }
    }

    public static double InLanes(double[] terms)
    {
        var lanes = new double[64];
        for (var i = 0; i < terms.Length; i++)
            lanes[i % 64] += terms[i];
        for (var half = 32; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
                lanes[i] += lanes[i + half];
        }
        return lanes[0];
    }

    /// <summary>As numbers, -0 equal to +0, NaN equal and above all.</summary>
    public static int Compare(float a, float b) =>
        float.IsNaN(a) ? (float.IsNaN(b) ? 0 : 1) : float.IsNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0;
}

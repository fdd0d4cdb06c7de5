using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// Sums of values and of products, float64. Every 4096 elements, counted from the tensor's first, are a grain, summed
/// by <see cref="LaneSums"/>; grains are added by <see cref="PairwiseTree"/>. However the tensor is cut, the bits are
/// the same.
/// </summary>
/// <param name="operands">The values.</param>
/// <param name="terms">For each sum its operand, and the one it is multiplied with (-1: none).</param>
/// <param name="result">Takes the sums.</param>
internal sealed unsafe class SumReduction(
    IReadOnlyList<Node> operands, (int A, int B)[] terms, Action<double[]> result) : Reduction
{
    public const int Grain = 4096;

    public override IReadOnlyList<Node> Operands => operands;

    public override bool IsForDevices => true;

    public override long BytesPerSegment => (long)terms.Length * sizeof(double) * (LaneSums.Lanes + Grain + 64);

    public override IReductionPart Begin(long start, long end) => new Part(terms, start);

    public override void Finish(IReadOnlyList<IReductionPart> parts)
    {
        var whole = new Part(terms, 0);
        foreach (var part in parts)
            whole.Append((Part)part);
        result(whole.Total());
    }

    private sealed class Part((int A, int B)[] terms, long start) : IDeviceReductionPart
    {
        // The first grain's end, if the segment begins within the grain: its lanes begin in the segment before, so its
        // terms wait for them.
        private readonly long _headEnd = (start + Grain - 1) / Grain * Grain;
        private readonly List<double>[] _head = [.. terms.Select(_ => new List<double>())];
        private readonly PairwiseTree _tree = new();
        private readonly double[] _lanes = new double[terms.Length * LaneSums.Lanes];
        private long _next = start;

        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var done = 0;
            while (done < count)
            {
                var run = (int)Math.Min(Grain - (_next % Grain), count - done);
                for (var k = 0; k < terms.Length; k++)
                {
                    var (a, b) = terms[k];
                    TakeRun(k, (float*)operands[a] + done, b < 0 ? null : (float*)operands[b] + done, run);
                }
                Move(run);
                done += run;
            }
        }

        // Whole grains are summed there; what the block has of others is read.
        public void Take(long start, DeviceOperands operands)
        {
            var head = (int)Math.Min((Grain - (start % Grain)) % Grain, operands.Count);
            var whole = (operands.Count - head) / Grain * Grain;
            TakeRead(start, operands, 0, head);
            if (whole > 0)
            {
                var sums = operands.Sums(terms, head, whole, Grain);
                for (var g = 0; g < whole / Grain; g++)
                    _tree.Add((_next / Grain) + g, [.. sums.Select(s => s[g])]);
                _next += whole;
            }
            TakeRead(start, operands, head + whole, operands.Count - head - whole);
        }

        private void TakeRead(long start, DeviceOperands operands, int first, int count)
        {
            if (count == 0)
                return;
            var size = terms.Max(t => Math.Max(t.A, t.B)) + 1;
            var values = new float[size * count];
            fixed (float* memory = values)
            {
                var places = stackalloc nint[size];
                for (var k = 0; k < size; k++)
                {
                    operands.Read(k, first, values.AsSpan(k * count, count));
                    places[k] = (nint)(memory + (k * count));
                }
                Take(start + first, count, new(places, size));
            }
        }

        /// <summary>Adds the part that follows.</summary>
        public void Append(Part next)
        {
            var waiting = terms.Length == 0 ? 0 : next._head[0].Count;
            for (var k = 0; k < terms.Length; k++)
            {
                for (var i = 0; i < waiting; i++)
                    _lanes[(k * LaneSums.Lanes) + (int)((_next + i) % LaneSums.Lanes)] += next._head[k][i];
            }
            Move(waiting);
            if (next._next == _next)
                return;
            _tree.Add(next._tree);
            next._lanes.CopyTo(_lanes, 0);
            _next = next._next;
        }

        public double[] Total()
        {
            if (_next % Grain != 0)
                EndGrain(_next / Grain, _next % Grain);
            return _tree.Total(terms.Length);
        }

        private void TakeRun(int term, float* x, float* y, int run)
        {
            if (_next < _headEnd)
            {
                for (var i = 0; i < run; i++)
                    _head[term].Add(y is null ? x[i] : (double)x[i] * y[i]);
                return;
            }
            fixed (double* lanes = &_lanes[term * LaneSums.Lanes])
            {
                if (y is null)
                    LaneSums.Add(lanes, x, run, _next);
                else
                    LaneSums.AddProducts(lanes, x, y, run, _next);
            }
        }

        private void Move(int run)
        {
            var waits = _next < _headEnd;
            _next += run;
            if (!waits && run > 0 && _next % Grain == 0)
                EndGrain((_next / Grain) - 1, Grain);
        }

        private void EndGrain(long grain, long count)
        {
            var sums = new double[terms.Length];
            for (var k = 0; k < sums.Length; k++)
            {
                fixed (double* lanes = &_lanes[k * LaneSums.Lanes])
                    sums[k] = LaneSums.Total(lanes, count);
            }
            Array.Clear(_lanes);
            _tree.Add(grain, sums);
        }
    }
}

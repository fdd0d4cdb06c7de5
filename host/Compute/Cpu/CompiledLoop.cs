using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// A compiled loop with its numbers. What is left over when the width does not divide the count is padded.
/// </summary>
internal sealed unsafe class CompiledLoop(LoopShape shape, LoopNumbers numbers, LoopCode code, int width) : ILoop
{
    private readonly float[] _constants = [.. numbers.Constants, .. numbers.Cuts.Select(c => c.Value)];
    private readonly int[] _sizes =
        [.. shape.Inputs.Select(t => t.Bits() / 8), .. shape.Outputs.Select(o => o.Type.Bits() / 8)];

    public void Run(nint* streams, long start, int count, Workspace workspace)
    {
        var whole = count - (count % width);
        fixed (float* constants = _constants)
        {
            var limits = stackalloc int[numbers.Cuts.Length];
            if (whole > 0)
            {
                SetLimits(limits, start);
                code(streams, constants, limits, whole);
            }
            if (whole == count)
                return;

            var slot = width * sizeof(double);
            var padded = stackalloc byte[_sizes.Length * slot];
            var paddedStreams = stackalloc nint[_sizes.Length];
            for (var k = 0; k < _sizes.Length; k++)
            {
                paddedStreams[k] = (nint)(padded + (k * slot));
                if (k < shape.Inputs.Count)
                {
                    var bytes = (count - whole) * _sizes[k];
                    var rest = (byte*)streams[k] + ((long)whole * _sizes[k]);
                    Buffer.MemoryCopy(rest, (void*)paddedStreams[k], slot, bytes);
                }
            }
            SetLimits(limits, start + whole);
            code(paddedStreams, constants, limits, width);
            for (var k = shape.Inputs.Count; k < _sizes.Length; k++)
            {
                var bytes = (count - whole) * _sizes[k];
                Buffer.MemoryCopy((void*)paddedStreams[k], (byte*)streams[k] + ((long)whole * _sizes[k]), bytes, bytes);
            }
        }
    }

    private void SetLimits(int* limits, long start)
    {
        for (var k = 0; k < numbers.Cuts.Length; k++)
            limits[k] = (int)Math.Clamp(numbers.Cuts[k].IndexLimit - start, 0, int.MaxValue);
    }
}

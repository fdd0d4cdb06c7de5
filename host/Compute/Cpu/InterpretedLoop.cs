using Merge.Sdk;
using Calculate = Merge.Compute.Cpu.Arithmetic<Merge.Compute.Cpu.Lanes1, float, int>;
using Convert = Merge.Compute.Cpu.Conversions<Merge.Compute.Cpu.Lanes1, float, int>;
using One = Merge.Compute.Cpu.Lanes1;
using Operation = Merge.Compute.Cpu.ElementOperations<Merge.Compute.Cpu.Lanes1, float, int>;

namespace Merge.Compute.Cpu;

/// <summary>
/// Runs an element-wise loop step by step, one element after the other: for tensors too small to be worth compiling,
/// and what compiled loops are checked against.
/// </summary>
internal sealed unsafe class InterpretedLoop(LoopShape shape, LoopNumbers numbers) : ILoop
{
    private const int Tile = 256;

    public void Run(nint* streams, long start, int count, Workspace workspace)
    {
        var memory = (float*)workspace.Reserve(Scratch.Loop, (long)shape.RegisterCount * Tile * sizeof(float));
        for (var done = 0; done < count; done += Tile)
        {
            var length = Math.Min(Tile, count - done);
            for (var i = 0; i < shape.Steps.Count; i++)
                RunStep(i, streams, start, done, length, memory);
            for (var k = 0; k < shape.Outputs.Count; k++)
            {
                var (step, type) = shape.Outputs[k];
                var source = memory + (shape.Registers[step] * Tile);
                var size = type.Bits() / 8;
                var target = (byte*)streams[shape.Inputs.Count + k] + ((long)done * size);
                for (var i = 0; i < length; i++)
                    Convert.Encode(type, source[i], target + ((long)i * size));
            }
        }
    }

    private void RunStep(int index, nint* streams, long start, int done, int length, float* memory)
    {
        var step = shape.Steps[index];
        var target = memory + (shape.Registers[index] * Tile);
        switch (step.Op)
        {
            case Op.Input:
                Decode(shape.Inputs[step.A], (byte*)streams[step.A], done, length, target);
                return;
            case Op.Constant:
                new Span<float>(target, length).Fill(numbers.Constants[step.A]);
                return;
        }

        var a = Source(step, 0, memory);
        var b = Source(step, 1, memory);
        var c = Source(step, 2, memory);
        if (step.Op == Op.KeptBy)
        {
            var cut = numbers.Cuts[step.B];
            for (var i = 0; i < length; i++)
            {
                var below = One.AsNumber(start + done + i < cut.IndexLimit ? -1 : 0);
                target[i] = step.C == 1
                    ? Calculate.KeptByNaN(a[i], below)
                    : Calculate.KeptByNumber(a[i], cut.Value, below);
            }
            return;
        }
        for (var i = 0; i < length; i++)
            target[i] = Operation.Apply(step.Op, a[i], b is null ? 0 : b[i], c is null ? 0 : c[i]);
    }

    private float* Source(LoopStep step, int argument, float* memory) =>
        argument < step.StepArguments ? memory + (shape.Registers[step.StepArgument(argument)] * Tile) : null;

    private static void Decode(DType type, byte* source, int done, int length, float* target)
    {
        var size = type.Bits() / 8;
        for (var i = 0; i < length; i++)
            target[i] = Convert.Decode(type, source + ((long)(done + i) * size));
    }
}

using System.Text;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// One step of an element-wise loop. A, B and C are earlier steps; but of an input A is its number, of a constant A its
/// number, of a <see cref="Op.KeptBy"/> B is the cut's number and C is 1 where the cut is at NaN.
/// </summary>
internal readonly record struct LoopStep(Op Op, int A = -1, int B = -1, int C = -1)
{
    /// <summary>How many of A, B, C are steps.</summary>
    public int StepArguments => Op switch
    {
        Op.Input or Op.Constant => 0,
        Op.Negate or Op.Abs or Op.Sqrt or Op.Exp or Op.Log or Op.Sign or Op.Not or Op.KeptBy => 1,
        Op.FusedMultiplyAdd or Op.Where => 3,
        _ => 2,
    };

    public int StepArgument(int index) => index switch { 0 => A, 1 => B, _ => C };
}

/// <summary>
/// An element-wise loop without its numbers: what is compiled once and used for every tensor that is merged alike.
/// </summary>
internal sealed class LoopShape
{
    public LoopShape(
        IReadOnlyList<DType> inputs, IReadOnlyList<LoopStep> steps, IReadOnlyList<(int Step, DType Type)> outputs)
    {
        Inputs = inputs;
        Steps = steps;
        Outputs = outputs;
        (Registers, RegisterCount) = Allocate();
        Key = Describe();
    }

    /// <summary>The stored type of every input.</summary>
    public IReadOnlyList<DType> Inputs { get; }

    public IReadOnlyList<LoopStep> Steps { get; }

    /// <summary>Which step's value goes to each output, and in which stored type.</summary>
    public IReadOnlyList<(int Step, DType Type)> Outputs { get; }

    /// <summary>Where each step keeps its value; places are used again when their value is dead.</summary>
    public IReadOnlyList<int> Registers { get; }

    public int RegisterCount { get; }

    public int CutCount => Steps.Count(s => s.Op == Op.KeptBy);

    /// <summary>Equal for equal loops.</summary>
    public string Key { get; }

    private (int[] Registers, int Count) Allocate()
    {
        var lastUse = new int[Steps.Count];
        for (var i = 0; i < Steps.Count; i++)
        {
            lastUse[i] = i;
            for (var k = 0; k < Steps[i].StepArguments; k++)
                lastUse[Steps[i].StepArgument(k)] = i;
        }
        foreach (var (step, _) in Outputs)
            lastUse[step] = Steps.Count;

        var registers = new int[Steps.Count];
        var free = new Stack<int>();
        var count = 0;
        for (var i = 0; i < Steps.Count; i++)
        {
            for (var k = 0; k < Steps[i].StepArguments; k++)
            {
                var argument = Steps[i].StepArgument(k);
                if (lastUse[argument] == i)
                {
                    free.Push(registers[argument]);
                    lastUse[argument] = -1;
                }
            }
            registers[i] = free.TryPop(out var register) ? register : count++;
            if (lastUse[i] == i)
                free.Push(registers[i]);
        }
        return (registers, count);
    }

    private string Describe()
    {
        var text = new StringBuilder().AppendJoin(',', Inputs).Append(';');
        foreach (var (op, a, b, c) in Steps)
            text.Append(op).Append(' ').Append(a).Append(' ').Append(b).Append(' ').Append(c).Append(',');
        return text.Append(';').AppendJoin(',', Outputs).ToString();
    }
}

/// <summary>The numbers of an element-wise loop.</summary>
internal sealed record LoopNumbers(float[] Constants, Cut[] Cuts);

/// <summary>An element-wise loop ready to run, by many threads at once.</summary>
internal unsafe interface ILoop
{
    /// <param name="streams">Addresses of the inputs' bytes, then of the outputs'.</param>
    /// <param name="start">Index in the tensor of the first element: what cuts count.</param>
    /// <param name="count">How many elements.</param>
    /// <param name="workspace">The caller's.</param>
    void Run(nint* streams, long start, int count, Workspace workspace);
}

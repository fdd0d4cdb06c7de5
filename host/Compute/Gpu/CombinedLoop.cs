using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Some rows of linear combinations as one loop: a pass over the checkpoints' values for all of them. Products and sums
/// are those of <see cref="CombinationKernel{L, F, I}"/>.
/// </summary>
internal static class CombinedLoop
{
    public static PlannedLoop Of(Combinations combinations, IReadOnlyList<int> rows)
    {
        var steps = new List<LoopStep>();
        var inputTypes = new List<DType>();
        var streams = new List<LoopStream>();
        var constants = new List<float>();
        var stepOfSlot = new Dictionary<int, int>();
        var stepOfValue = new Dictionary<int, int>();

        int Step(LoopStep step)
        {
            steps.Add(step);
            return steps.Count - 1;
        }

        int Input(int slot)
        {
            if (stepOfSlot.TryGetValue(slot, out var known))
                return known;
            inputTypes.Add(combinations.InputTypes[slot]);
            streams.Add(LoopStream.Input(slot));
            return stepOfSlot[slot] = Step(new(Op.Input, inputTypes.Count - 1));
        }

        int Value(int index)
        {
            if (stepOfValue.TryGetValue(index, out var known))
                return known;
            var (slot, minus) = combinations.Values[index];
            var value = Input(slot);
            if (minus >= 0)
                value = Step(new(Op.Subtract, value, Value(minus)));
            return stepOfValue[index] = value;
        }

        int Term(Combination row, int index)
        {
            var value = Value(row.Terms[index]);
            constants.Add(row.Coefficients[index]);
            var coefficient = Step(new(Op.Constant, constants.Count - 1));
            return Step(new(Op.Multiply, coefficient, value));
        }

        var outputs = new List<(int, DType)>();
        foreach (var row in rows.Select(r => combinations.Rows[r]))
        {
            var sum = Term(row, 0);
            for (var i = 1; i < row.Terms.Length; i++)
            {
                var term = Term(row, i);
                sum = Step(new(Op.Add, sum, term));
            }
            if (row.Base >= 0)
                sum = Step(new(Op.Add, Value(row.Base), sum));
            outputs.Add((sum, combinations.OutputType));
        }
        return new(
            new(inputTypes, steps, outputs), new([.. constants], []),
            [.. streams, .. rows.Select(LoopStream.Output)]);
    }
}

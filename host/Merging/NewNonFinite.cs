using Merge.Adapters;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>NaN and infinities in an output that its inputs do not explain; several threads note what they meet.</summary>
internal sealed class NewNonFinite
{
    private int _first = int.MaxValue;

    // One of an input, anywhere: statistics may have carried it to other parts.
    private volatile bool _isInInputs;

    /// <summary>An output's part holds one.</summary>
    /// <param name="part">Which.</param>
    /// <param name="isInInputs">Whether the same part of an input does.</param>
    public void Note(int part, bool isInInputs)
    {
        if (isInInputs)
            _isInInputs = true;
        int seen;
        while (!isInInputs && part < (seen = Volatile.Read(ref _first)))
            Interlocked.CompareExchange(ref _first, part, seen);
    }

    /// <summary>What to tell the user, once all parts are done.</summary>
    public Diagnostic? Finding(TensorPlan plan, long partLength) => _first == int.MaxValue || _isInInputs
        ? null
        : new Diagnostic(
            $"the merge made a NaN or an infinity that is in no input, first in elements {_first * partLength} "
            + $"to {Math.Min((_first + 1) * partLength, plan.Info.Count) - 1}")
        {
            Severity = Severity.Warning,
            Where = plan.Info.Name,
            Fix = (plan.OutType == DType.F16
                    ? "float16 ends at 65504: write bfloat16 or float32 (out_dtype), or use smaller weights."
                    : "Use smaller weights, or look at the inputs of this tensor.")
                + (plan.Models.Any(m => m is AdaptedTensor)
                    ? " An adapter makes one where its scale is too large, or DoRA divides by the norm of a row of zeros." : ""),
        };
}

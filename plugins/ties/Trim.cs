using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>Masks by magnitude: exactly as many elements stay as were asked for, however many tie.</summary>
internal static class Trim
{
    /// <summary>⌊density·N⌋; all N from a density of 1 on.</summary>
    /// <exception cref="MergeException">That is none: the model would be left out without a word.</exception>
    public static long Kept(TensorInfo tensor, double density)
    {
        if (density >= 1)
            return tensor.Count;
        var kept = (long)(density * tensor.Count);
        return kept > 0 ? kept : throw new MergeException(new Diagnostic(
            $"density {density:R} keeps none of {tensor.Count} elements")
        {
            Where = tensor.Name,
            Expected = $"at least {1.0 / tensor.Count:G3}",
            Fix = "Raise the density.",
        })
        { WrongUsage = true };
    }

    /// <summary>The cut below the <paramref name="keep"/> largest |Δ_i|.</summary>
    public static Stat<Cut> Largest(TensorScan tensor, int model, long keep) =>
        tensor.Largest(b => b.Deltas[model].Abs(), keep);

    /// <summary>The |Δ_i| above a cut.</summary>
    public static Mask? Above(Cut cut, int model) =>
        cut == Cut.KeepAll ? null : b => b.Deltas[model].Abs().KeptBy(cut);

    /// <summary>The |Δ_i| above a cut, but for those above a higher one.</summary>
    public static Mask? Between(Cut low, Cut high, int model)
    {
        var above = Above(low, model);
        if (high == Cut.KeepNone)
            return above;
        Mask below = b => !b.Deltas[model].Abs().KeptBy(high);
        return above is null ? below : b => above(b) & below(b);
    }
}

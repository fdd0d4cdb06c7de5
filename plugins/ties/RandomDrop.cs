using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>Masks drawn at random, element by element; every model has a stream of its own.</summary>
internal static class RandomDrop
{
    /// <summary>Keeps an element with a probability of <paramref name="density"/>.</summary>
    public static Mask? Evenly(double density, int model) =>
        density >= 1 ? null : b => b.Uniform(model) < density;

    /// <summary>
    /// Keeps an element with a probability that rises with the rank of |Δ_i| along axis 1 (of a 1-D tensor: along its
    /// only axis), linearly from density − ε at the smallest to density + ε at the largest. Along an axis of length 1
    /// it is the density.
    /// </summary>
    public static Mask? ByRank(TensorInfo tensor, double density, double epsilon, int model)
    {
        if (density >= 1)
            return null;
        Check(tensor, density, epsilon);
        var axis = tensor.Rank < 2 ? 0 : 1;
        var last = tensor.Rank == 0 ? 0 : tensor.Shape[axis] - 1;
        if (last == 0)
            return Evenly(density, model);
        return b =>
        {
            var rank = b.Deltas[model].Abs().RankAlong(axis);
            return b.Uniform(model) < density - epsilon + (2 * epsilon / last * rank);
        };
    }

    private static void Check(TensorInfo tensor, double density, double epsilon)
    {
        if (density - epsilon > 0 && density + epsilon < 1)
            return;
        throw new MergeException(new Diagnostic(
            $"with density {density:R} and epsilon {epsilon:R} elements are kept with probabilities from " +
            $"{density - epsilon:G3} to {density + epsilon:G3}")
        {
            Where = tensor.Name,
            Expected = "both ends above 0 and below 1",
            Fix = $"Take an epsilon below {Math.Min(density, 1 - density):G3}, or move the density towards 0.5.",
        })
        { WrongUsage = true };
    }
}

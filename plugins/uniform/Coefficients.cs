using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The coefficients of the averages, one a model in the order of the recipe, in float64.</summary>
internal static class Coefficients
{
    private const double Vanishing = 1e-8;

    /// <summary>c_i = 1/K.</summary>
    public static double[] Uniform(int models) => [.. Enumerable.Repeat(1.0 / models, models)];

    /// <summary>c_i = w_i / Σ w.</summary>
    /// <exception cref="MergeException">|Σ w| is under 1e-8: there is no average.</exception>
    public static double[] Normalized(IReadOnlyList<double> weights)
    {
        var sum = weights.Sum();
        if (Math.Abs(sum) < Vanishing)
        {
            throw new MergeException(new Diagnostic($"the weights add up to {sum:R}, so they cannot be normalized")
            {
                Expected = "a sum away from 0",
                Fix = "Change the weights, or set normalize: false to take them as they are.",
            })
            { WrongUsage = true };
        }
        return [.. weights.Select(w => w / sum)];
    }

    /// <summary>
    /// What the recursion a ← β·a + (1−β)·θ_i leaves on each checkpoint, started at the oldest:
    /// c_1 = β^(K−1), then c_i = (1−β)·β^(K−i). They add to 1.
    /// </summary>
    public static double[] ExponentialAverage(int checkpoints, double beta) =>
    [
        Math.Pow(beta, checkpoints - 1),
        .. Enumerable.Range(2, checkpoints - 1).Select(i => (1 - beta) * Math.Pow(beta, checkpoints - i)),
    ];

    /// <summary>
    /// c_i = f(i/K) − f((i+1)/K) for i = 0 … K−1, f a decay with f(0) = 1 and f(1) = 0: a training step made between
    /// checkpoints i−1 and i then counts f(i/K), as if its learning rate had decayed so. They add to 1.
    /// </summary>
    public static double[] Decay(int checkpoints, Func<double, double> f) =>
        [.. Enumerable.Range(0, checkpoints).Select(i => f((double)i / checkpoints) - f((i + 1.0) / checkpoints))];
}

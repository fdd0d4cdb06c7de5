using Merge.Sdk;

namespace Merge.Plugin.Mwa;

/// <summary>w_i = g_i / Σ g, one a checkpoint, float64.</summary>
internal static class MetricWeights
{
    private const double Vanishing = 1e-8;

    /// <exception cref="MergeException">The kernel has no value for a metric, or the weights add to nothing.</exception>
    public static double[] Of(IReadOnlyList<double> metrics, MwaOptions options)
    {
        var g = options.Kernel switch
        {
            MwaKernel.Power => Power(metrics, options),
            MwaKernel.Penalty => [.. Badness(metrics, options.Kind).Select(m => 1 - (options.Pf * m))],
            _ => Softmax([.. Badness(metrics, options.Kind)], options.Tau),
        };
        var sum = g.Sum();
        if (Math.Abs(sum) < Vanishing)
        {
            throw new MergeException(new Diagnostic($"with pf {options.Pf:R} the weights of mwa add up to {sum:R}")
            {
                Expected = "a sum away from 0",
                Fix = "Choose a smaller pf, or more checkpoints.",
            })
            { WrongUsage = true };
        }
        return [.. g.Select(x => x / sum)];
    }

    // Scaled by the best, which leaves w as it is: (L_best/L_i)^pf and (s_i/s_best)^pf neither overflow nor vanish.
    private static double[] Power(IReadOnlyList<double> metrics, MwaOptions options)
    {
        Diagnostic[] wrong =
        [
            .. Enumerable.Range(0, metrics.Count).Where(i => !(metrics[i] > 0)).Select(i =>
                new Diagnostic($"'metric' of model {i + 1} of {metrics.Count} is {metrics[i]:R}, which has no power")
                {
                    Expected = "a number above 0",
                    Fix = "Take 'kernel: penalty' or 'kernel: softmax', which take any number.",
                }),
        ];
        if (wrong.Length > 0)
            throw new MergeException(wrong) { WrongUsage = true };
        return options.Kind is MwaKind.Loss
            ? [.. metrics.Select(loss => Math.Pow(metrics.Min() / loss, options.Pf))]
            : [.. metrics.Select(step => Math.Pow(step / metrics.Max(), options.Pf))];
    }

    /// <summary>m: 0 for the best metric, 1 for the worst, 0 for all where they are equal.</summary>
    private static IEnumerable<double> Badness(IReadOnlyList<double> metrics, MwaKind kind)
    {
        var (best, worst) = kind is MwaKind.Loss ? (metrics.Min(), metrics.Max()) : (metrics.Max(), metrics.Min());
        return metrics.Select(metric => best == worst ? 0 : (metric - best) / (worst - best));
    }

    // The best has m = 0, so no exponent is above 0 and one term is 1.
    private static double[] Softmax(double[] m, double tau) => [.. m.Select(x => Math.Exp(-x / tau))];
}

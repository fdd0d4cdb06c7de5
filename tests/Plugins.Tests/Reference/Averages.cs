namespace Plugins.Tests.Reference;

/// <summary>The averages, each in a form other than the plugin's.</summary>
internal static class Averages
{
    public static double[] Linear(MergeCase c, bool normalize)
    {
        var result = new double[c.Count];
        for (var e = 0; e < c.Count; e++)
        {
            var sum = 0.0;
            for (var i = 0; i < c.Models.Length; i++)
            {
                result[e] += c.Weights[i] * c.Models[i][e];
                sum += c.Weights[i];
            }
            if (normalize)
                result[e] /= sum;
        }
        return result;
    }

    public static double[] Uniform(MergeCase c) =>
        [.. Enumerable.Range(0, c.Count).Select(e => c.Models.Average(m => (double)m[e]))];

    /// <summary>The recursion that a training loop runs: a ← βa + (1−β)θ.</summary>
    public static double[] Ema(MergeCase c, double beta)
    {
        double[] average = [.. c.Models[0].Select(x => (double)x)];
        foreach (var model in c.Models.Skip(1))
        {
            for (var e = 0; e < average.Length; e++)
                average[e] = (beta * average[e]) + ((1 - beta) * model[e]);
        }
        return average;
    }

    /// <summary>Every update θ_j − θ_{j−1} replayed with the rate f(j/K).</summary>
    public static double[] Wsm(MergeCase c, Func<double, double> f)
    {
        double[] result = [.. c.Models[0].Select(x => (double)x)];
        for (var j = 1; j < c.Models.Length; j++)
        {
            for (var e = 0; e < result.Length; e++)
                result[e] += f((double)j / c.Models.Length) * ((double)c.Models[j][e] - c.Models[j - 1][e]);
        }
        return result;
    }

    public static double[] WiseFt(MergeCase c, double alpha) =>
        [.. Enumerable.Range(0, c.Count).Select(e => c.Base[e] + (alpha * ((double)c.Models[0][e] - c.Base[e])))];
}

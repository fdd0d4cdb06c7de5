using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

/// <summary>What the methods on task vectors share.</summary>
internal static class TaskVectors
{
    /// <summary>Σ of the values whose sign is that of the sum; a value of zero agrees with neither sign.</summary>
    /// <param name="values">x_i = w_i · Δ_i, trimmed or masked.</param>
    /// <param name="weights">w_i: where <paramref name="normalize"/>, the sum of the agreeing ones divides.</param>
    /// <param name="normalize">Whether to divide; a sum of 0 counts as 1.</param>
    public static TensorExpr AgreeingSum(
        IReadOnlyList<TensorExpr> values, IReadOnlyList<double> weights, bool normalize)
    {
        var plus = Sum(values) >= 0f;
        TensorExpr sum = 0f;
        TensorExpr divisor = 0f;
        for (var i = 0; i < values.Count; i++)
        {
            var agrees = (plus & (values[i] > 0f)) | (!plus & (values[i] < 0f));
            sum += values[i].Masked(agrees);
            divisor += agrees.Select(weights[i], 0f);
        }
        return normalize ? sum / divisor.EqualTo(0f).Select(1f, divisor) : sum;
    }

    /// <summary>Σ in the order given.</summary>
    public static TensorExpr Sum(IReadOnlyList<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

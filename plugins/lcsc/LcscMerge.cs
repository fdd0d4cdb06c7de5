using Merge.Sdk;

namespace Merge.Plugin.Lcsc;

/// <summary>The parameters of <c>lcsc</c>.</summary>
public sealed record LcscOptions
{
    /// <summary>α_i of every checkpoint but the first, whose coefficient is 1 − Σ α_i.</summary>
    [Parameter("alpha_i, the checkpoint's coefficient; any sign and size. The first one's is 1 minus all others")]
    [Searchable(-0.25, 0.5, ExceptFirst = true)]
    public PerModel<double?> Coefficient { get; init; }
}

/// <summary>
/// Linear combination of saved checkpoints (arXiv:2404.02241): θ(α) = θ_1 + Σ_{i≥2} α_i (θ_i − θ_1). The coefficients add
/// to 1 whatever the α_i are.
/// </summary>
public sealed class LcscMerge : MergeStrategy<LcscOptions>
{
    // What ten decimals of a coefficient, copied by hand, may miss.
    private const double Disagreement = 1e-6;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "lcsc", "Linear combination of saved checkpoints", "arXiv:2404.02241",
        Formula: "theta_1 + sum_(i>=2) alpha_i (theta_i - theta_1), oldest first");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, LcscOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine(Weights(options.Coefficient.ToList(tensor.ModelCount))));

    // (1 − Σ α_i) θ_1 + Σ α_i θ_i is the same, and reads every checkpoint once.
    private static double[] Weights(IReadOnlyList<double?> given)
    {
        Diagnostic[] missing =
        [
            .. Enumerable.Range(1, given.Count - 1).Where(i => given[i] is null).Select(i =>
                new Diagnostic($"'coefficient' is missing for model {i + 1} of {given.Count}")
                {
                    Expected = "a number for every model but the first",
                    Fix = "Give it below the model's 'parameters:', or let 'merge search' find it.",
                }),
        ];
        if (missing.Length > 0)
            throw new MergeException(missing) { WrongUsage = true };

        double[] alpha = [.. given.Skip(1).Select(a => a!.Value)];
        var first = 1 - alpha.Sum();
        if (given[0] is { } said && !(Math.Abs(said - first) <= Disagreement * Math.Max(1, alpha.Sum(Math.Abs))))
        {
            throw new MergeException(new Diagnostic($"the first model's 'coefficient' is {said:R}, the others leave {first:R}")
            {
                Expected = "coefficients that add to 1",
                Fix = "Leave the first one's out: it follows from the others.",
            })
            { WrongUsage = true };
        }
        return [first, .. alpha];
    }
}

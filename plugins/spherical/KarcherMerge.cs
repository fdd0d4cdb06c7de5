using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>The parameters of <c>karcher</c>, as mergekit has them.</summary>
public sealed record KarcherOptions
{
    /// <summary>Most steps towards the mean; 0 stays at the normalised sum of the directions.</summary>
    [Parameter("Most steps towards the mean", Bounds = "[0, inf)")]
    public int MaxIter { get; init; } = 10;

    /// <summary>Steps and angles below this are none; so are tensors whose length is not above it.</summary>
    [Parameter("Steps and angles below this count as none, as do tensors no longer than it", Bounds = "(0, inf)")]
    public double Tol { get; init; } = 1e-5;
}

/// <summary>
/// The Karcher mean of the models' directions, the point u of the sphere whose squared arcs to all of them have the
/// smallest sum, times the mean length: u Σ α_i ‖θ_i‖ with α_i = 1/K. Whole tensors; a base counts as a model.
/// </summary>
public sealed class KarcherMerge : MergeStrategy<KarcherOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "karcher", "Karcher mean", "arXiv:2603.04972", InputRole.Member,
        Formula: "u (1/K) sum_i |theta_i|, u = arg min sum_i angle(u, theta_i)^2 on the sphere");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, KarcherOptions options)
    {
        if (tensor.ModelCount == 1)
            return TensorMerge.Copy(0);
        var gram = FiniteGram.Checked(await tensor.Gram(b => b.Models), tensor.Info);
        var norms = Enumerable.Range(0, gram.Rows).Select(gram.Norm).ToArray();
        int[] directed = [.. Enumerable.Range(0, gram.Rows).Where(i => norms[i] > options.Tol)];
        if (directed.Length == 0)
            return TensorMerge.Combine([.. norms.Select(_ => 1.0 / norms.Length)]);

        var mean = KarcherMean.Of(Directions(gram, directed), options.MaxIter, options.Tol);
        var weights = new double[norms.Length];
        foreach (var (place, i) in directed.Index())
            weights[i] = mean[place] * norms.Average() / norms[i];
        return TensorMerge.Combine(weights);
    }

    /// <summary>The Gram matrix of the models scaled to length 1.</summary>
    private static Matrix Directions(Matrix gram, int[] models)
    {
        var cosines = new Matrix(models.Length, models.Length);
        for (var i = 0; i < models.Length; i++)
        {
            for (var j = 0; j < models.Length; j++)
                cosines[i, j] = gram[models[i], models[j]] / (gram.Norm(models[i]) * gram.Norm(models[j]));
        }
        return cosines;
    }
}

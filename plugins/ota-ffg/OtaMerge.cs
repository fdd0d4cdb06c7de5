using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>
/// OTA merging with Fast Fisher Grafting (Mahdavinia et al. 2025, arXiv:2509.11167): keep of each task vector the edits
/// that curvature calls salient, average what is left weighted by curvature.
/// </summary>
public sealed class OtaMerge : GraftStrategy<OtaOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ota", "OTA merging", "arXiv:2509.11167", InputRole.Optional,
        Formula: "theta_0 + sum W_i D_i / sum W_i, W_i = (v_i^power + eps) [v_i D_i^2 >= precond_threshold_i], D_i = theta_i - theta_0");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, OtaOptions options, ModelCuts survey)
    {
        var known = survey.Moments(tensor.Info);
        var v = known ?? new SecondMoments(tensor, options);
        if (known is null)
            v.Approximated(await v.Sums, await v.Matrices, options);

        var asked = AskCuts(tensor, options, v);
        var means = options.Normalise == Normalise.Global
            ? tensor.EachModel(i => tensor.Sum(b => Preconditioner(b, i)))
            : Stat.All<double>([]);
        var masks = Masks(tensor, options, v, survey, await asked);
        double[] divisors = [.. (await means).Select(sum => (sum / tensor.Info.Count) + options.Epsilon)];
        var precond = new PrecondMean(options, masks, masks.Any(m => m is not null), Weight);
        if (!tensor.HasBase)
            return precond.OfModels();

        var factors = new double[tensor.ModelCount];
        Array.Fill(factors, 1);
        if (options.Rescale && masks.Any(m => m is not null))
        {
            var norms = new OperatorNorm(tensor, masks, options.ApproximateNorm);
            norms.Decompose(await norms.Matrices);
            while (norms.AreWanted)
                norms.Take(await norms.AskNext());
            factors = norms.Factors(options.RescaleRelativeThreshold);
        }
        var edits = new MaskedEdits(masks, factors);
        switch (options.MaskedTaskVectorMergeMethod)
        {
            case Aggregation.Linear:
                return edits.Mean();
            case Aggregation.Ties:
                var keep = (long)((options.TiesDensity ?? 1) * tensor.Info.Count);
                return edits.Elected(await tensor.EachModel(i => tensor.Largest(b => edits.Of(b, i).Abs(), keep)));
            default:
                return precond.OfEdits(edits);
        }

        // P_i = v_i^power · scaling_factor_i
        TensorExpr Preconditioner(Block b, int i)
        {
            var p = v.Of(b, i).Pow(options.Power);
            return options.ScalingFactor[i] == 1 ? p : p * options.ScalingFactor[i];
        }

        // P_i + ε, divided by its mean + ε before where that is asked for
        TensorExpr Weight(Block b, int i) =>
            (divisors.Length == 0 ? Preconditioner(b, i) : Preconditioner(b, i) / divisors[i]) + options.Epsilon;
    }

    private protected override TensorExpr Score(Block b, TensorScan tensor, OtaOptions options, SecondMoments v, int model) =>
        Saliency.Of(b, tensor, v, model);

    private protected override IEnumerable<Diagnostic> Refused(ModelScan<OtaOptions> model)
    {
        var options = model.Tensors.Select(t => t.Options).Distinct().ToArray();
        foreach (var missing in Refusals.OfMissing(
            model, (o, i) => o.PreconditionerPath[i], "preconditioner_path", null, "as OTA weighs each by them"))
            yield return missing;
        if (!model.HasBase && options.FirstOrDefault(o => o.MaskedTaskVectorMergeMethod != Aggregation.Precond) is { } wrong)
        {
            yield return new Diagnostic(
                $"masked_task_vector_merge_method: {wrong.MaskedTaskVectorMergeMethod.ToString().ToLowerInvariant()} merges task "
                + "vectors, and there is no base model")
            {
                Fix = "Add 'base_model:' with the model the others were fine-tuned from, or leave the parameter out.",
            };
        }
        if (options.Any(o => o.TiesDensity is not null && o.MaskedTaskVectorMergeMethod != Aggregation.Ties))
        {
            yield return new Diagnostic("ties_density is given, and nothing is merged by ties")
            {
                Fix = "Add 'masked_task_vector_merge_method: ties', or leave ties_density out.",
            };
        }
        if (!model.HasBase && options.Any(o => o.Rescale))
        {
            yield return new Diagnostic("rescale gives task vectors their norm back, and there is no base model")
            {
                Fix = "Add 'base_model:' with the model the others were fine-tuned from, or leave rescale out.",
            };
        }
    }
}

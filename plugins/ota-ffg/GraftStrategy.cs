using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>A method that keeps of each task vector what is salient, by tensor or over the whole model.</summary>
/// <typeparam name="TOptions">Its options.</typeparam>
public abstract class GraftStrategy<TOptions> : MergeStrategy<TOptions, ModelCuts>
    where TOptions : GraftOptions, new()
{
    /// <summary>Where a density is of the whole model: one pass for all models' cuts.</summary>
    protected override async ValueTask<ModelCuts> Survey(ModelScan<TOptions> model)
    {
        Refusals.ThrowIfAny([.. Refusals.OfMasks(model), .. Refused(model)]);
        var densities = Enumerable.Range(0, model.ModelCount)
            .Select(i => Refusals.OverModel(model, i).FirstOrDefault()?.Density[i]).ToArray();
        if (densities.All(d => d is null))
            return ModelCuts.None;

        var asked = model.Tensors.Select(t => new SecondMoments(t.Scan, t.Options)).ToArray();
        var sums = await Stat.All(asked.Select(v => v.Sums));
        var moments = model.Tensors.Index().ToDictionary(
            t => t.Item.Scan.Info.Name, t => asked[t.Index].Approximated(sums[t.Index], [], t.Item.Options));
        int[] cut = [.. densities.Index().Where(d => d.Item is not null).Select(d => d.Index)];
        var found = await Stat.All(cut.Select(i => model.Largest(
            t => b => Score(b, t.Scan, t.Options, moments[t.Scan.Info.Name], i),
            densities[i] == 0 ? 0 : Saliency.Kept(densities[i]!.Value, model.ElementCount))));
        var cuts = new ModelCut?[densities.Length];
        foreach (var (k, i) in cut.Index())
            cuts[i] = found[k];
        return new(cuts, moments);
    }

    /// <summary>What the method cannot do.</summary>
    private protected abstract IEnumerable<Diagnostic> Refused(ModelScan<TOptions> model);

    /// <summary>What edits are ordered by.</summary>
    private protected abstract TensorExpr Score(Block b, TensorScan tensor, TOptions options, SecondMoments v, int model);

    /// <summary>The density of a tensor for a model, where it is one of the tensor.</summary>
    private protected virtual double? TensorDensity(TOptions options, int model) =>
        options.DensityScope == DensityScope.Tensor ? options.Density[model] : null;

    /// <summary>Asks for the cuts that a density of this tensor needs, of the models that have one.</summary>
    private protected Stat<Cut[]> AskCuts(TensorScan tensor, TOptions options, SecondMoments v) =>
        Stat.All(WithDensity(tensor, options).Select(i => tensor.Largest(
            b => Score(b, tensor, options, v, i),
            TensorDensity(options, i) is var d && d == 0 ? 0 : Saliency.Kept(d!.Value, tensor.Info.Count))));

    /// <summary>What stays of every model's task vector; null where all does.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="options">Its options.</param>
    /// <param name="v">Its second moments.</param>
    /// <param name="survey">Cuts over the whole model.</param>
    /// <param name="own">Of <see cref="AskCuts"/>.</param>
    private protected Mask?[] Masks(TensorScan tensor, TOptions options, SecondMoments v, ModelCuts survey, Cut[] own)
    {
        var ownCuts = WithDensity(tensor, options).Zip(own).ToDictionary(c => c.First, c => c.Second);
        return
        [
            .. Enumerable.Range(0, tensor.ModelCount).Select(i => Saliency.MaskOf(
                b => Score(b, tensor, options, v, i),
                options.PrecondThreshold[i],
                ownCuts.TryGetValue(i, out var cut) ? cut : survey.Of(i, tensor.Info))),
        ];
    }

    private int[] WithDensity(TensorScan tensor, TOptions options) =>
        [.. Enumerable.Range(0, tensor.ModelCount).Where(i => TensorDensity(options, i) is not null)];
}

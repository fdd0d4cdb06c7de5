using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>What cannot be merged as the recipe asks, found before any byte of a tensor is read.</summary>
internal static class Refusals
{
    /// <exception cref="MergeException">There is one: all of them.</exception>
    public static void ThrowIfAny(IEnumerable<Diagnostic> found)
    {
        Diagnostic[] all = [.. found.Distinct()];
        if (all.Length > 0)
            throw new MergeException(all) { WrongUsage = true };
    }

    /// <summary>A threshold and a density for one model; a model-wide density that is missing, or not one number a model.</summary>
    public static IEnumerable<Diagnostic> OfMasks<T>(ModelScan<T> model)
        where T : GraftOptions
    {
        int[] models = [.. Enumerable.Range(0, model.ModelCount)];
        if (models.Any(i => OverModel(model, i).Any()) && models.Any(
            i => model.Tensors.Any(t => t.Options.Rank[i] is not null && !t.Options.Rank1Approx[i])))
        {
            yield return new Diagnostic("rank and a density over the whole model are both given")
            {
                Expected = "rank1_approx, or density_scope: tensor",
                Fix = "A survey of the whole model cannot hold every matrix.",
            };
        }
        if (model.Tensors.Any(t => t.Options.DensityScope == DensityScope.Model && models.All(i => t.Options.Density[i] is null)))
        {
            yield return new Diagnostic("density_scope: model is given, and no density")
            {
                Fix = "Give the share of the whole model's edits to keep: 'density: 0.4'.",
            };
        }
        foreach (var i in models)
        {
            if (model.Tensors.Any(t => t.Options.PrecondThreshold[i] is not null && t.Options.Density[i] is not null))
            {
                yield return new Diagnostic($"model {i + 1} has both precond_threshold and density")
                {
                    Expected = "one of them",
                    Fix = "'merge curvature threshold' turns a density over the whole model into a threshold.",
                };
            }
            foreach (var other in OverModel(model, i).Skip(1))
            {
                yield return new Diagnostic($"model {i + 1} has density {other.Density[i]} here, and another elsewhere")
                {
                    Expected = "one density, as density_scope: model counts all tensors together",
                    Fix = "Give one number for all tensors, or density_scope: tensor.",
                };
            }
        }
    }

    /// <summary>Tensors without a file's values, one line a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file named for a model, or null.</param>
    /// <param name="parameter">What names it.</param>
    /// <param name="needed">Whether a tensor cannot do without; null: none can.</param>
    /// <param name="why">What it is needed for.</param>
    public static IEnumerable<Diagnostic> OfMissing<T>(
        ModelScan<T> model, Func<T, int, string?> path, string parameter, Func<T, int, bool>? needed, string why)
    {
        for (var i = 0; i < model.ModelCount; i++)
        {
            SurveyedTensor<T>[] missing =
            [
                .. model.Tensors.Where(t => !t.Scan.HasSide(SecondMoments.Side, i) && needed?.Invoke(t.Options, i) != false),
            ];
            if (missing.Length == 0)
                continue;
            var names = string.Join(", ", missing.Take(3).Select(t => $"'{t.Scan.Info.Name}'"));
            var file = path(missing[0].Options, i);
            yield return new Diagnostic(
                $"{missing.Length} tensor{(missing.Length == 1 ? "" : "s")} of model {i + 1} {(missing.Length == 1 ? "has" : "have")} "
                + $"no values in {(file is null ? $"any file, as it has no {parameter}" : $"'{file}'")}: "
                + names + (missing.Length > 3 ? ", …" : ""))
            {
                Expected = $"values of every tensor, {why}",
                Fix = file is null ? $"Give {parameter} for that model." : "Give the file that belongs to this model.",
            };
        }
    }

    /// <summary>The different densities over the whole model that a model is given: none, or one.</summary>
    public static IEnumerable<T> OverModel<T>(ModelScan<T> model, int i)
        where T : GraftOptions =>
        model.Tensors.Select(t => t.Options).Where(o => o.DensityScope == DensityScope.Model && o.Density[i] is not null)
            .DistinctBy(o => o.Density[i]);
}

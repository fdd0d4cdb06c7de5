using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Commands;

/// <summary>Consecutive layers of the output that are made of consecutive layers of the same models.</summary>
/// <param name="Stack">What their names begin with.</param>
/// <param name="Sources">The model and its layer that the first of them is made of.</param>
internal sealed record LayerOrigins(
    string Stack, int First, int Count, IReadOnlyList<(string Model, int Layer)> Sources)
{
    /// <summary>All runs of a plan whose layers are not simply those of whole models; else none.</summary>
    public static IReadOnlyList<LayerOrigins> Of(MergePlan plan)
    {
        // Adapters keep their layers; the zeros that their task vectors stand on are in no file.
        if (plan.Adapter is not null)
            return [];
        var layers = plan.Tensors.Where(t => !t.IsCopied)
            .Select(t => (Tensor: t, Name: TensorNaming.Split(t.Info.Name)))
            .Where(t => t.Name is not null)
            .GroupBy(t => (t.Name!.Value.Stack, t.Name.Value.Layer), t => t.Tensor)
            .OrderBy(g => g.Key.Stack, StringComparer.Ordinal).ThenBy(g => g.Key.Layer);
        var runs = new List<LayerOrigins>();
        foreach (var layer in layers)
        {
            var tensor = layer.First();
            List<(string Model, int Layer)> sources = [.. tensor.Models.Select(m => (ModelOf(plan, m), LayerOf(m)))];
            if (tensor.Base is { } theta0)
                sources.Add(($"base {ModelOf(plan, theta0)}", LayerOf(theta0)));
            if (runs.LastOrDefault() is { } last && last.Stack == layer.Key.Stack && last.First + last.Count == layer.Key.Layer
                && last.Sources.Select(s => (s.Model, s.Layer + last.Count)).SequenceEqual(sources))
            {
                runs[^1] = last with { Count = last.Count + 1 };
                continue;
            }
            runs.Add(new(layer.Key.Stack, layer.Key.Layer, 1, sources));
        }
        return runs.All(r => r.Sources.All(s => s.Layer == r.First)) && runs.DistinctBy(r => r.Stack).Count() == runs.Count
            ? [] : runs;

        static int LayerOf(TensorSource tensor) => TensorNaming.LayerOf(tensor.Name)!.Value;
    }

    /// <summary>The recipe's name for one of the models that a tensor is merged from, whether or not it has the tensor.</summary>
    public static string ModelOf(MergePlan plan, TensorPlan tensor, int model)
    {
        if (plan.Adapter is not { IsExtracted: false } output)
            return ModelOf(plan, tensor.Models[model]);
        var adapter = output.Adapters[model];
        return plan.InputFiles.FirstOrDefault(f => adapter.Checkpoint.Files.Contains(f.File)).Model ?? adapter.Path;
    }

    /// <summary>The recipe's name for the model that holds a tensor, which is in a file.</summary>
    public static string ModelOf(MergePlan plan, TensorSource tensor) =>
        plan.InputFiles.First(f => ReferenceEquals(f.File, tensor.Files.First())).Model;
}

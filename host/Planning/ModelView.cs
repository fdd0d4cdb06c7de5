using Merge.Checkpoints;
using Merge.Recipes;

namespace Merge.Planning;

/// <summary>What one slice takes of one model: some of its tensors, under the names they have in the output.</summary>
internal sealed class ModelView
{
    private readonly OrderedDictionary<string, TensorSource> _tensors = new(StringComparer.Ordinal);

    private ModelView(PlannedModel model, bool hasEnd, IEnumerable<(string Name, TensorSource Stored)> tensors)
    {
        Model = model;
        HasEnd = hasEnd;
        foreach (var (name, stored) in tensors)
            _tensors.Add(name, stored);
        Names = [.. _tensors.Keys];
    }

    public PlannedModel Model { get; }

    /// <summary>Whether what comes after the layers is taken: final norm and head.</summary>
    public bool HasEnd { get; }

    /// <summary>The names in the output, in the model's own order.</summary>
    public IReadOnlyList<string> Names { get; }

    public TensorSource? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>All of a model that is the module's.</summary>
    public static ModelView Whole(PlannedModel model, Func<string, bool> owns) =>
        new(model, true, model.Checkpoint.Tensors.Values.Where(t => owns(t.Name)).Select(t => (t.Name, t)));

    /// <summary>Some layers, renumbered.</summary>
    /// <param name="source">The model and the layers taken.</param>
    /// <param name="owns">Which tensors are the module's.</param>
    /// <param name="stack">What the output's layer names begin with.</param>
    /// <param name="first">The number of the first of them in the output.</param>
    /// <param name="before">Whether also what comes before the layers is taken.</param>
    /// <param name="after">Whether also what comes after them.</param>
    public static ModelView Of(
        PlannedSource source, Func<string, bool> owns, string stack, int first, bool before, bool after)
    {
        var layers = source.Layers!.Value;
        return new(source.Model, after, source.Model.Checkpoint.Tensors.Values.Where(t => owns(t.Name)).SelectMany(Named));

        IEnumerable<(string, TensorSource)> Named(TensorSource tensor)
        {
            if (TensorNaming.Split(tensor.Name) is not { } name)
            {
                var isBefore = TensorNaming.IsBeforeLayers(tensor.Name, tensor.Shape.Length);
                return (isBefore ? before : after) ? [(tensor.Name, tensor)] : [];
            }
            return name.Layer >= layers.Start && name.Layer < layers.End
                ? [($"{stack}{first + name.Layer - layers.Start}{name.Suffix}", tensor)]
                : [];
        }
    }
}

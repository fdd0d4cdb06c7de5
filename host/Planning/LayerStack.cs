using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>The numbered layers of a model whose names begin alike.</summary>
/// <param name="Prefix">With the dot before the number.</param>
/// <param name="Layers">The numbers that have tensors.</param>
internal sealed record LayerStack(string Prefix, SortedSet<int> Layers)
{
    /// <summary>One more than the highest number.</summary>
    public int Count => Layers.Max + 1;

    /// <summary>The stacks of some tensors, by prefix.</summary>
    public static IReadOnlyList<LayerStack> Of(IEnumerable<string> names) =>
    [
        .. names.Select(TensorNaming.Split).OfType<LayerName>()
            .GroupBy(n => n.Stack, n => n.Layer)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new LayerStack(g.Key, [.. g])),
    ];

    /// <summary>The one stack of a model whose layers a recipe picks; null with a problem.</summary>
    /// <param name="model">The model.</param>
    /// <param name="owns">Which of its tensors are the module's.</param>
    /// <param name="where">The recipe's line, in words.</param>
    /// <param name="problems">Where errors go.</param>
    public static LayerStack? Only(PlannedModel model, Func<string, bool> owns, string where, List<Diagnostic> problems)
    {
        var stacks = Of(model.Checkpoint.Tensors.Keys.Where(owns));
        if (stacks.Count == 1)
            return stacks[0];
        problems.Add(stacks.Count == 0
            ? new Diagnostic($"'{model.Text}' has no numbered layers, so no 'layer_range' can be taken of it")
            {
                Expected = "tensor names with 'layers.N.', 'h.N.', 'blocks.N.' or the like",
                Where = where,
                Fix = $"Its first tensor is '{model.Checkpoint.Tensors.Keys.FirstOrDefault(owns)}'. Merge it whole, by 'models'.",
            }
            : new Diagnostic(
                $"'{model.Text}' has {stacks.Count} stacks of layers: "
                + string.Join(", ", stacks.Select(s => $"'{s.Prefix}' ({s.Count})")))
            {
                Expected = "one stack for 'slices'",
                Where = where,
                Fix = "Put the slices below 'modules:', one module for each part of the model: "
                    + string.Join(", ", ModelParts.Found([model]))
                    + ".",
            });
        return null;
    }

    /// <summary>Whether all layers of a range are there; else a problem.</summary>
    public bool Has(LayerRange range, PlannedModel model, string where, List<Diagnostic> problems)
    {
        var missing = Enumerable.Range(range.Start, range.Count).Where(l => !Layers.Contains(l)).Take(5).ToArray();
        if (missing.Length == 0)
            return true;
        problems.Add(range.End > Count
            ? new Diagnostic($"'layer_range' is {range}, but '{model.Text}' has {Count} layers")
            {
                Expected = $"a range within [0, {Count}]",
                Where = where,
            }
            : new Diagnostic($"layer {string.Join(", ", missing)} of '{model.Text}' has no tensors")
            {
                Expected = "every layer of the range",
                Where = where,
                Fix = "Leave it out; a lost layer can be made of its neighbours (see 'CheckFree' in docs/recipes.md).",
            });
        return false;
    }
}

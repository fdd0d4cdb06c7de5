using System.Globalization;
using Merge.Planning;
using Merge.Recipes;

namespace Merge.Search;

/// <summary>
/// The layers of each stack, cut into consecutive groups of about equal size. What stands before the layers goes with
/// the first group, what stands after them with the last, as mergekit's slices have it.
/// </summary>
internal sealed class LayerGroups
{
    private readonly Dictionary<string, Dictionary<int, int>> _ranks;
    private readonly Func<int, int, int> _group;
    private readonly bool _isOneStack;

    private LayerGroups(int count, Dictionary<string, Dictionary<int, int>> ranks, Func<int, int, int> group) =>
        (Count, _ranks, _group, _isOneStack) = (count, ranks, group, ranks.Count == 1);

    /// <summary>At least 1.</summary>
    public int Count { get; }

    /// <summary>The groups a search asks for; one, where it asks for none.</summary>
    /// <param name="tensors">The names of what is merged.</param>
    /// <param name="search">What is asked for.</param>
    /// <param name="findings">Where errors go.</param>
    public static LayerGroups Of(IEnumerable<string> tensors, SearchRecipe search, RecipeFindings findings)
    {
        if (search.LayerGroups is null && search.LayersPerGroup is null)
            return new(1, [], (_, _) => 0);
        var ranks = LayerStack.Of(tensors).ToDictionary(
            s => s.Prefix, s => s.Layers.Index().ToDictionary(l => l.Item, l => l.Index));
        var longest = ranks.Values.Select(r => r.Count).DefaultIfEmpty(0).Max();
        if (longest == 0)
        {
            findings.Error(search.SearcherLine, "groups of layers are asked for, and the models have no numbered layers",
                "tensor names with 'layers.N.', 'h.N.', 'blocks.N.' or the like");
        }
        else if (search.LayerGroups > longest)
            findings.Error(search.SearcherLine, $"'layer_groups' is {search.LayerGroups}, and there are {longest} layers", $"at most {longest}");
        if (search.LayerGroups is { } groups)
            return new(groups, ranks, (rank, layers) => (int)((long)rank * groups / layers));
        var size = search.LayersPerGroup!.Value;
        var count = Math.Max(1, (longest + size - 1) / size);
        return new(count, ranks, (rank, _) => rank / size);
    }

    /// <summary>The group of a tensor, from 0.</summary>
    public int Of(string tensor, int rank)
    {
        if (Count == 1)
            return 0;
        if (TensorNaming.Split(tensor) is not { } name || !_ranks.TryGetValue(name.Stack, out var layers))
            return TensorNaming.IsBeforeLayers(tensor, rank) ? 0 : Count - 1;
        return _group(layers[name.Layer], layers.Count);
    }

    /// <summary>Its layers in words; null where there is one group only.</summary>
    public string? Name(int group)
    {
        if (Count == 1)
            return null;
        if (!_isOneStack)
            return string.Create(CultureInfo.InvariantCulture, $"layers {group + 1}/{Count}");
        var stack = _ranks.Values.Single();
        var layers = stack.Where(l => _group(l.Value, stack.Count) == group).Select(l => l.Key).ToArray();
        return layers.Length == 1 ? $"layer {layers[0]}" : $"layers {layers.Min()}-{layers.Max()}";
    }
}

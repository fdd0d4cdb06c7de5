using Merge.Adapters;
using Merge.Checkpoints;

namespace Merge.Planning;

/// <summary>What is known of a merged adapter's file before it is merged: Σ r, or the largest ranks that are asked for.</summary>
internal static class AdapterLayout
{
    /// <summary>The largest file it may become.</summary>
    public static SafetensorsLayout Of(AdapterOutput output)
    {
        var modules = Modules(output);
        var tensors = modules.SelectMany(m => new[] { m.A(!output.HasConfig), m.B(!output.HasConfig) })
            .Concat(output.Saved.Select(s => (
                Name: AdapterTensors.Saved(s.Key, modules.Select(m => m.Name)), s.Value.First(t => t is not null)!.Shape)));
        return SafetensorsLayout.Of(
            tensors.Select(t => new OutputTensor(t.Name, output.OutType, t.Shape)), long.MaxValue,
            output.Header(modules.ToDictionary(m => m.Name, m => m.Rank)), Adapter.TensorFiles[0]);
    }

    /// <summary>Its modules with these ranks.</summary>
    public static AdapterTensors[] Modules(AdapterOutput output) =>
        [.. output.Modules.Values.Select(m => new AdapterTensors(m.Like.Name, m.Like, RankOf(output, m.Like, m.Each)))];

    private static int RankOf(AdapterOutput output, AdapterModule like, IReadOnlyList<AdapterModule?> each)
    {
        var most = output.Combination == AdapterCombination.Exact
            ? each.Sum(m => (long)(m?.Rank ?? 0)) : each.Max(m => m?.Rank ?? 0);
        // Of what is no sum of the adapters all directions may be kept.
        if (output.ChoiceOf(like.Name) is { } choice)
            most = Math.Min(choice.Rank ?? long.MaxValue, Math.Min(like.Shape[0], like.Inputs * like.Outputs / like.Shape[0]));
        return (int)Math.Max(most, 1);
    }
}

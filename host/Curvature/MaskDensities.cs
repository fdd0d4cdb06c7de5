namespace Merge.Curvature;

/// <summary>How many of a tensor's edits stay.</summary>
/// <param name="Name">The tensor.</param>
/// <param name="Layer">What it is counted under: its layer, or outside layers itself.</param>
/// <param name="Count">Its elements.</param>
/// <param name="Kept">Of each model, how many edits reach its threshold.</param>
internal sealed record TensorMask(string Name, string Layer, long Count, IReadOnlyList<long> Kept);

/// <summary>One layer's share of the edits that stay.</summary>
/// <param name="Layer">For example <c>model.layers.3</c>, or a tensor's name.</param>
/// <param name="Count">Elements of its tensors.</param>
/// <param name="Densities">Of each model, the share of its edits there that stay, 0 to 1.</param>
internal sealed record LayerMask(string Layer, long Count, IReadOnlyList<double> Densities);

/// <summary>Where one density over the whole model cuts, and what that leaves of each part: for a table or a report.</summary>
/// <param name="Models">The models, as the recipe names them.</param>
/// <param name="Density">The share asked for.</param>
/// <param name="Thresholds">
/// Of each model, the lowest saliency that stays: as <c>precond_threshold</c> it keeps that share, and what ties with it.
/// </param>
/// <param name="Tensors">Every tensor, in order.</param>
internal sealed record MaskDensities(
    IReadOnlyList<string> Models, double Density, IReadOnlyList<float> Thresholds, IReadOnlyList<TensorMask> Tensors)
{
    /// <summary>Elements of all tensors.</summary>
    public long Count => Tensors.Sum(t => t.Count);

    /// <summary>The share of a model's edits that reach its threshold.</summary>
    public double Kept(int model) => (double)Tensors.Sum(t => t.Kept[model]) / Count;

    /// <summary>The layers, in the order their first tensor comes in.</summary>
    public IReadOnlyList<LayerMask> Layers =>
    [
        .. Tensors.GroupBy(t => t.Layer).Select(layer => new LayerMask(
            layer.Key,
            layer.Sum(t => t.Count),
            [.. Models.Select((_, i) => (double)layer.Sum(t => t.Kept[i]) / layer.Sum(t => t.Count))])),
    ];
}

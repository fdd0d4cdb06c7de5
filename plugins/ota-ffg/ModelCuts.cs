using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>What the survey found: where each model's density over the whole model cuts, and the v that was used.</summary>
public sealed class ModelCuts
{
    private readonly IReadOnlyList<ModelCut?> _cuts;
    private readonly IReadOnlyDictionary<string, SecondMoments> _moments;

    internal ModelCuts(IReadOnlyList<ModelCut?> cuts, IReadOnlyDictionary<string, SecondMoments> moments) =>
        (_cuts, _moments) = (cuts, moments);

    internal static ModelCuts None { get; } = new([], new Dictionary<string, SecondMoments>());

    internal Cut? Of(int model, TensorInfo tensor) => _cuts.Count == 0 ? null : _cuts[model]?.For(tensor);

    internal SecondMoments? Moments(TensorInfo tensor) => _moments.GetValueOrDefault(tensor.Name);
}

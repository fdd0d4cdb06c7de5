using Merge.Sdk;

namespace Plugins.Tests;

/// <summary>Something that runs a strategy: plain code over whole arrays, or the host.</summary>
internal interface IMergeRunner
{
    /// <summary>The merged tensors, by name.</summary>
    IReadOnlyDictionary<string, float[]> Merge(MergeStrategy strategy, object options, MergeInputs inputs);
}

internal static class MergeRunners
{
    /// <summary>The merge of checkpoints with one tensor <c>w</c>.</summary>
    public static float[] MergeOne(
        this IMergeRunner runner,
        MergeStrategy strategy,
        object options,
        ArrayTensor? theta0,
        params ArrayTensor[] models) =>
        runner.Merge(strategy, options, MergeInputs.OfOne(theta0, models))["w"];
}

using Merge.Planning;
using Merge.Sdk;
using Merge.Testing.Engine;

namespace Merge.Testing;

/// <summary>Runs a merge method on arrays, with the engine of the <c>merge</c> command: same kernels, same bits.</summary>
public static class StrategyRun
{
    private const string Order = "Merge takes the base first (null: none), then the models.";

    /// <summary>Merges checkpoints of one tensor, called <c>layers.0.weight</c>.</summary>
    /// <param name="strategy">The method.</param>
    /// <param name="options">Its options record.</param>
    /// <param name="theta0">The base; null: none.</param>
    /// <param name="models">The models.</param>
    /// <returns>The merged values, row-major.</returns>
    /// <exception cref="MergeException">Options or models are none that a recipe could give; the method or the engine refuses, in words;
    /// or the method's code is at fault: the message says where, and the inner exception is what it threw.</exception>
    public static float[] Merge(
        MergeStrategy strategy, object options, TestTensor? theta0, params IReadOnlyList<TestTensor> models)
    {
        const string Name = "layers.0.weight";
        return Merge(strategy, options, new TestModels([.. models.Select(One)])
        {
            Base = theta0 is null ? null : One(theta0),
        })[Name];

        static Dictionary<string, TestTensor> One(TestTensor tensor) => new() { [Name] = tensor };
    }

    /// <summary>Merges checkpoints of several tensors.</summary>
    /// <returns>The merged values by tensor name.</returns>
    /// <exception cref="MergeException">Options or models are none that a recipe could give; the method or the engine refuses, in words;
    /// or the method's code is at fault: the message says where, and the inner exception is what it threw.</exception>
    public static IReadOnlyDictionary<string, float[]> Merge(MergeStrategy strategy, object options, TestModels models)
    {
        Diagnostic[] wrong =
        [
            .. ModelCounts.Wrong(strategy.Info, models.Base is not null, models.Models.Count).Select(d => d with { Fix = Order }),
            .. GivenOptions.Wrong(strategy, options, models.Models.Count),
        ];
        if (wrong.Length > 0)
            throw new MergeException(wrong) { WrongUsage = true };
        try
        {
            return new StreamedEngine().Merge(strategy, options, models, new EngineSettings());
        }
        catch (MergeException e) when (PluginFault.Of(strategy, e) is { } fault)
        {
            throw fault.ToException(e);
        }
    }
}

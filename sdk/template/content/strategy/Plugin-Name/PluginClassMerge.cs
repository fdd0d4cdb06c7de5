using Merge.Sdk;

namespace PluginNamespace;

/// <summary>θ_0 + λ·mean(Δ_i): put your formula, and where it comes from, here.</summary>
public sealed class PluginClassMerge : MergeStrategy<PluginClassOptions>
{
    public override StrategyInfo Info => new(
        "plugin_id", "PluginClass", Base: InputRole.Required, Formula: "theta_0 + lambda mean(delta_i)");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, PluginClassOptions options) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            // Recorded once a tensor, run for every element: b.Deltas[i] is Δ_i = θ_i − θ_0.
            var sum = b.Deltas.Aggregate((total, delta) => total + delta);
            return b.Base + (options.Lambda / tensor.ModelCount * sum);
        }));
}

using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Sample.Native;

/// <summary>The parameters of <c>soft_clip</c>.</summary>
public sealed record SoftClipOptions
{
    /// <summary>What a change stays below.</summary>
    [Parameter("Limit that no change reaches", Bounds = "(0, inf)")]
    [Searchable(1e-3, 1, Scale = SearchScale.Logarithmic)]
    public double Limit { get; init; } = 0.1;
}

/// <summary>θ_0 + mean of Δ_i / (1 + |Δ_i|/limit), the quotient by a C library that the plugin ships.</summary>
public sealed partial class SoftClip : MergeStrategy<SoftClipOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "soft_clip", "Soft clip", Base: InputRole.Required, Formula: "theta_0 + mean delta_i / (1 + |delta_i| / limit)");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, SoftClipOptions options) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            var clipped = b.Deltas.Select(delta => b.Map([delta], (inputs, output) => Clip(inputs[0], output, options.Limit)));
            return b.Base + (clipped.Aggregate((sum, delta) => sum + delta) / tensor.ModelCount);
        }));

    // A kernel of Map: any span, by any thread.
    private static void Clip(ReadOnlySpan<float> x, Span<float> y, double limit) => Clip(x, y, x.Length, (float)limit);

    [LibraryImport("softclip", EntryPoint = "softclip")]
    private static partial void Clip(ReadOnlySpan<float> x, Span<float> y, nint count, float limit);
}

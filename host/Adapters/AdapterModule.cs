using Merge.Checkpoints;

namespace Merge.Adapters;

/// <summary>How the product of a module's factors becomes its weight's change.</summary>
internal enum FactorLayout
{
    /// <summary>B [m, r] · A [r, n], as the weight is.</summary>
    Linear,

    /// <summary>The weight is stored [inputs, outputs]: (B·A)ᵀ.</summary>
    Transposed,

    /// <summary>B [m, r, 1 …] · A [r, c, k …], reshaped to [m, c, k …].</summary>
    Convolution,
}

/// <summary>What an adapter does to the weight of one module: ΔW = s·B·A.</summary>
internal sealed record AdapterModule
{
    /// <summary>The module's name in the base model, for example <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public required string Name { get; init; }

    public required FactorLayout Layout { get; init; }

    /// <summary>Whether the factors are <c>lora_embedding_A</c> and <c>_B</c>.</summary>
    public bool IsEmbedding { get; init; }

    /// <summary>[r, inputs]; of a convolution [r, c, k …]; of an embedding [r, tokens].</summary>
    public required TensorSource A { get; init; }

    /// <summary>[outputs, r]; of a convolution [outputs, r, 1 …].</summary>
    public required TensorSource B { get; init; }

    /// <summary>s.</summary>
    public required double Scale { get; init; }

    /// <summary>DoRA's m, one number an output; null without DoRA.</summary>
    public TensorSource? Magnitude { get; init; }

    public int Rank => (int)A.Shape[0];

    /// <summary>Outputs.</summary>
    public long Outputs => B.Shape[0];

    /// <summary>Inputs (of a convolution times the kernel's size).</summary>
    public long Inputs => A.Shape.Skip(1).Aggregate(1L, (p, s) => p * s);

    /// <summary>The name of the tensor it changes.</summary>
    public string Weight => Name + ".weight";

    /// <summary>
    /// The same module laid out for a weight of some shape. PEFT's fan_in_fan_out counts for Conv1D modules only, whatever
    /// the config says for all: where a weight is not square, its shape tells which it is.
    /// </summary>
    public AdapterModule For(IReadOnlyList<long> shape)
    {
        if (IsEmbedding || Layout == FactorLayout.Convolution || shape.SequenceEqual(Shape))
            return this;
        var turned = this with { Layout = Layout == FactorLayout.Linear ? FactorLayout.Transposed : FactorLayout.Linear };
        return shape.SequenceEqual(turned.Shape) ? turned : this;
    }

    /// <summary>The shape ΔW has.</summary>
    public long[] Shape => Layout switch
    {
        FactorLayout.Transposed => [Inputs, Outputs],
        FactorLayout.Convolution => [Outputs, .. A.Shape.Skip(1)],
        _ => [Outputs, Inputs],
    };
}

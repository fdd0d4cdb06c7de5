using System.Collections.Immutable;

namespace Merge.Adapters;

/// <summary>Names and shapes of one module's factors in an adapter's file, and how they lie in memory.</summary>
/// <param name="Name">The module.</param>
/// <param name="Like">The module of an adapter that is read: layout and kind.</param>
/// <param name="Rank">r, at least 1.</param>
internal sealed record AdapterTensors(string Name, AdapterModule Like, int Rank)
{
    private const string Peft = "base_model.model.";

    /// <param name="bare">Whether no config stands beside the file, as beside its adapters' files: named as those are.</param>
    public (string Name, ImmutableArray<long> Shape) A(bool bare) => (
        Named(bare, "lora_down.weight", "lora_embedding_A", "lora_A.weight"), [Rank, .. Like.A.Shape.Skip(1)]);

    /// <inheritdoc cref="A"/>
    public (string Name, ImmutableArray<long> Shape) B(bool bare) => (
        Named(bare, "lora_up.weight", "lora_embedding_B", "lora_B.weight"), [Like.B.Shape[0], Rank, .. Like.B.Shape.Skip(2)]);

    /// <summary>What PEFT calls a parameter that an adapter brings whole: a module that has factors wraps its own.</summary>
    /// <param name="parameter">Its name in the base.</param>
    /// <param name="adapted">The modules that have factors.</param>
    public static string Saved(string parameter, IEnumerable<string?> adapted)
    {
        var dot = parameter.LastIndexOf('.');
        return dot > 0 && adapted.Contains(parameter[..dot])
            ? $"{Peft}{parameter[..dot]}.base_layer{parameter[dot..]}" : Peft + parameter;
    }

    /// <summary>A and B as they are stored, from factors of the weight as it is stored.</summary>
    /// <param name="left">[m, r].</param>
    /// <param name="right">[r, n].</param>
    public (float[] A, float[] B) Values(float[] left, float[] right) => Like.Layout == FactorLayout.Transposed
        ? (Transpose(left, left.Length / Rank, Rank), Transpose(right, Rank, right.Length / Rank))
        : (right, left);

    private string Named(bool bare, string kohya, string embedding, string other) => (bare ? "" : Peft) + Name + "."
        + (bare && AdapterNames.IsKohya(Like.A.Name) ? kohya : Like.IsEmbedding ? embedding : other);

    private static float[] Transpose(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                turned[((long)j * rows) + i] = values[((long)i * columns) + j];
        }
        return turned;
    }
}

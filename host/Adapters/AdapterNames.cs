using System.Text.RegularExpressions;

namespace Merge.Adapters;

/// <summary>What a tensor of an adapter is for.</summary>
internal enum AdapterPart
{
    A,
    B,
    EmbeddingA,
    EmbeddingB,
    Magnitude,

    /// <summary>kohya's α, a number.</summary>
    Alpha,

    /// <summary>A whole parameter that takes the place of the base's: <c>modules_to_save</c>, or a bias.</summary>
    Saved,

    /// <summary>Of a kind that is not read.</summary>
    Unknown,
}

/// <summary>The names that adapters give their tensors, PEFT's and kohya's, taken apart.</summary>
internal static partial class AdapterNames
{
    private const string PeftPrefix = "base_model.model.";

    /// <summary>The module (of <see cref="AdapterPart.Saved"/>: the parameter) and what the tensor is to it.</summary>
    /// <param name="name">As the adapter's file has it.</param>
    /// <param name="why">Of <see cref="AdapterPart.Unknown"/>: what it is.</param>
    public static (string Module, AdapterPart Part) Split(string name, out string why)
    {
        why = "";
        if (Foreign().Match(name) is { Success: true } foreign)
        {
            why = foreign.Groups["kind"].Value switch
            {
                "hada_" => "a factor of LoHa",
                "lokr_" => "a factor of LoKr",
                "lora_mid" => "the middle factor of a Tucker-decomposed convolution",
                "dora_scale" => "kohya's DoRA scale",
                "lora_E" or "lora_ranknum" => "AdaLoRA's",
                "oft_" => "OFT's",
                _ => "the bias of a factor",
            };
            return (name, AdapterPart.Unknown);
        }
        if (Kohya().Match(name) is { Success: true } kohya)
        {
            return (kohya.Groups["module"].Value, kohya.Groups["part"].Value switch
            {
                "lora_down.weight" => AdapterPart.A,
                "lora_up.weight" => AdapterPart.B,
                _ => AdapterPart.Alpha,
            });
        }
        var own = name.StartsWith(PeftPrefix, StringComparison.Ordinal) ? name[PeftPrefix.Length..] : name;
        if (Peft().Match(own) is { Success: true } peft)
        {
            return (peft.Groups["module"].Value, peft.Groups["part"].Value switch
            {
                "A" => AdapterPart.A,
                "B" => AdapterPart.B,
                "embedding_A" => AdapterPart.EmbeddingA,
                "embedding_B" => AdapterPart.EmbeddingB,
                _ => AdapterPart.Magnitude,
            });
        }
        return (Wrapper().Replace(own, "."), AdapterPart.Saved);
    }

    // The name of the adapter itself may stand in the middle where state dicts were saved by hand.
    [GeneratedRegex(@"^(?<module>.+)\.lora_(?:(?<part>A|B)(?:\.\w+)?\.weight|(?<part>embedding_[AB])(?:\.\w+)?|(?<part>magnitude_vector)(?:\.\w+)?(?:\.weight)?)$")]
    private static partial Regex Peft();

    [GeneratedRegex(@"^(?<module>.+)\.(?<part>lora_down\.weight|lora_up\.weight|alpha)$")]
    private static partial Regex Kohya();

    [GeneratedRegex(@"\.(?<kind>hada_|lokr_|lora_mid|dora_scale|lora_E|lora_ranknum|oft_|lora_[AB](?:\.\w+)?\.bias)")]
    private static partial Regex Foreign();

    [GeneratedRegex(@"\.modules_to_save\.\w+\.|\.base_layer\.")]
    private static partial Regex Wrapper();
}

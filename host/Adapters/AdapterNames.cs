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

    /// <summary>α of one module, a number: kohya's and diffusers' files have it beside the factors.</summary>
    Alpha,

    /// <summary>A whole parameter that takes the place of the base's: <c>modules_to_save</c>, or a bias.</summary>
    Saved,

    /// <summary>What PEFT's wrapper of a module to save holds: such a parameter, or a second copy of one.</summary>
    Wrapped,

    /// <summary>What changes nothing: what PEFT's wrapper keeps of the base, and what only training needs.</summary>
    Original,

    /// <summary>Of a kind that is not read.</summary>
    Unknown,
}

/// <summary>The names that adapters give their tensors, PEFT's, diffusers' and kohya's, taken apart.</summary>
internal static partial class AdapterNames
{
    private const string PeftPrefix = "base_model.model.";

    /// <summary>The module (of <see cref="AdapterPart.Saved"/>: the parameter) and what the tensor is to it.</summary>
    /// <param name="name">As the adapter's file has it.</param>
    /// <param name="why">Of <see cref="AdapterPart.Unknown"/>: what it is.</param>
    public static (string Module, AdapterPart Part) Split(string name, out string why)
    {
        why = WhatElse(name) ?? "";
        if (why.Length > 0)
            return (name, AdapterPart.Unknown);
        var own = IsPefts(name) ? name[PeftPrefix.Length..] : name;
        if (Pair().Match(own) is { Success: true } pair)
            return (pair.Groups["module"].Value, pair.Groups["part"].Value == "down" ? AdapterPart.A : AdapterPart.B);
        if (own.Contains(SavedCopy, StringComparison.Ordinal))
            return (own, AdapterPart.Wrapped);
        if (own.Length > AlphaEnd.Length && own.EndsWith(AlphaEnd, StringComparison.Ordinal))
            return (own[..^AlphaEnd.Length], AdapterPart.Alpha);
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
        if (own.Contains(".original_module.", StringComparison.Ordinal) || Training().IsMatch(own))
            return (own, AdapterPart.Original);
        return (Parameter(own), AdapterPart.Saved);
    }

    /// <summary>The part of an adapter, other than plain LoRA's, that a tensor is by its name; null where it is none.</summary>
    /// <param name="parameter">What <see cref="Split"/> takes for a parameter.</param>
    public static string? Variant(string parameter) => Parts().Match(parameter) is not { Success: true } match ? null
        // LoRA's are modules and have a weight.
        : match.Groups["part"].Value is "lora_A" or "lora_B" ? "AdaLoRA's" : OtherPart(match.Groups["part"].Value);

    /// <summary>The part of an adapter that a tensor of a module with factors is: what the module has of its own in the model
    /// is its weight and its bias, or stands in PEFT's wrapper.</summary>
    /// <param name="parameter">What <see cref="Split"/> takes for a parameter.</param>
    /// <param name="module">The module, whose name it begins with.</param>
    /// <param name="stored">As the adapter's file has it.</param>
    public static string? Variant(string parameter, string module, string stored)
    {
        var own = parameter[module.Length..];
        return own is ".weight" or ".bias" ? null
            : Variant(own) ?? (stored.Contains(BaseLayer, StringComparison.Ordinal) ? null : OtherPart(own.Split('.')[1]));
    }

    /// <summary>What holds a parameter or a module, the innermost module first.</summary>
    public static IEnumerable<string> Holders(string name)
    {
        for (var dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
            yield return name[..dot];
    }

    /// <summary>PEFT's rule of targets and patterns: a name means the modules that are called so, or whose last parts are.</summary>
    public static bool EndsIn(string module, string name) => module == name || module.EndsWith("." + name, StringComparison.Ordinal);

    /// <summary>Whether it is PEFT's name of something in an adapter.</summary>
    public static bool IsPefts(string name) => name.StartsWith(PeftPrefix, StringComparison.Ordinal);

    /// <summary>The parameter that a wrapper holds.</summary>
    /// <param name="wrapped">As <see cref="Split"/> gives it.</param>
    public static string Parameter(string wrapped) =>
        Wrapper().Replace(wrapped, ".").Replace(SavedCopy, ".", StringComparison.Ordinal);

    /// <summary>The parameter of which it is a second copy, if that stands there under its own name: with bias="all" PEFT writes
    /// the biases of a module it has wrapped twice more, without the adapter's name, and loads the one under its own.</summary>
    /// <param name="wrapped">As <see cref="Split"/> gives it.</param>
    public static string CopyOf(string wrapped) => wrapped.Replace(SavedCopy, ".", StringComparison.Ordinal);

    /// <summary>Whether a tensor is named as only parts of adapters are, of any kind: it means nothing by itself, and
    /// an average of it with another's means nothing at all.</summary>
    public static bool IsOfAdapter(string name) => WhatElse(name) is not null || Pair().IsMatch(name) || Peft().IsMatch(name);

    /// <summary>Whether it is a weight that PEFT has wrapped: of a model whose adapters are not merged into it.</summary>
    public static bool IsWrapped(string name) => name.EndsWith(".base_layer.weight", StringComparison.Ordinal);

    /// <summary>Whether a factor is named as kohya's: without an α its programs take the rank.</summary>
    public static bool IsKohya(string factor) =>
        factor.EndsWith(".lora_down.weight", StringComparison.Ordinal) || factor.EndsWith(".lora_up.weight", StringComparison.Ordinal);

    private const string AlphaEnd = ".alpha";

    private const string BaseLayer = ".base_layer.";

    private const string SavedCopy = ".modules_to_save.";

    private static string OtherPart(string part) => $"'{part}', a part that plain LoRA does not have";

    /// <summary>What a tensor is that only other kinds of adapters have; null where it is none.</summary>
    private static string? WhatElse(string name)
    {
        if (Foreign().Match(name) is { Success: true } foreign)
        {
            return foreign.Groups["kind"].Value switch
            {
                "hada_" => "a factor of LoHa",
                "lokr_" => "a factor of LoKr",
                "lora_mid" => "the middle factor of a Tucker-decomposed convolution",
                "dora_scale" => "kohya's DoRA scale",
                "lora_E" or "lora_ranknum" => "AdaLoRA's",
                "oft_" => "OFT's",
                "boft_" => "BOFT's",
                "ia3_l" => "a scale of (IA)³",
                "vera_" => "a vector of VeRA, whose matrices all modules share",
                "fourierft_" => "a spectrum of FourierFT",
                "vblora_" => "VB-LoRA's",
                "randlora_" => "RandLoRA's",
                "trainable_tokens_" => "single rows of an embedding (trainable tokens)",
                "lora_diag" => "the diagonal of KaSA, which takes directions out of the base as well",
                _ => "the bias of a factor",
            };
        }
        if (Processor().IsMatch(name))
            return "a factor under the name of diffusers' old attention processors";
        return Lycoris().IsMatch(name) && !Pair().IsMatch(name) && !name.EndsWith(AlphaEnd, StringComparison.Ordinal)
            ? "a part of a LyCORIS module that is no LoRA factor" : null;
    }

    // The name of the adapter itself may stand in the middle where state dicts were saved by hand.
    [GeneratedRegex(@"^(?<module>.+)\.lora_(?:(?<part>A|B)(?:\.\w+)?\.weight|(?<part>embedding_[AB])(?:\.\w+)?|(?<part>magnitude_vector)(?:\.\w+)?(?:\.weight)?)$")]
    private static partial Regex Peft();

    // kohya's; diffusers' before it had PEFT's.
    [GeneratedRegex(@"^(?<module>.+)\.lora(?:_|\.|_linear_layer\.)(?<part>down|up)\.weight$")]
    private static partial Regex Pair();

    [GeneratedRegex(@"(?:^|\.)(?<kind>hada_|lokr_|lora_mid|dora_scale|lora_E|lora_ranknum|oft_|boft_|ia3_l|vera_|fourierft_|vblora_|randlora_|trainable_tokens_|lora_diag|lora_[AB](?:\.\w+)?\.bias)")]
    private static partial Regex Foreign();

    [GeneratedRegex(@"_lora\.(?:down|up)\.weight$")]
    private static partial Regex Processor();

    [GeneratedRegex(@"^(?:lora_(?:unet|te\d?|transformer|prior_unet|prior_te)|lycoris)_")]
    private static partial Regex Lycoris();

    [GeneratedRegex(@"\.modules_to_save\.\w+\.|\.base_layer\.")]
    private static partial Regex Wrapper();

    // VeLoRA compresses what the backward pass keeps, Monteclora draws samples in training: both are plain LoRA afterwards.
    [GeneratedRegex(@"\.lora_(?:velora_embed|monteclora_sampler)(?:\.|$)")]
    private static partial Regex Training();

    [GeneratedRegex(@"\.(?<part>lora_\w+)(?:\.\w+)*$")]
    private static partial Regex Parts();
}

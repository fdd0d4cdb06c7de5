namespace Merge.Vocabulary;

/// <summary>A token that stands outside a tokenizer's model: matched in the text before the model sees it.</summary>
internal sealed record AddedToken(string Content, int Id)
{
    /// <summary>Only matched between word boundaries.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes white space before it.</summary>
    public bool LStrip { get; init; }

    /// <summary>Takes white space behind it.</summary>
    public bool RStrip { get; init; }

    /// <summary>Matched in normalised text.</summary>
    public bool Normalized { get; init; } = true;

    /// <summary>Left out when a text is decoded without special tokens.</summary>
    public bool Special { get; init; }
}

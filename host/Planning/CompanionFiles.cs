using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>How the files beside the output's weights differ from the donor's.</summary>
internal sealed record CompanionFiles
{
    /// <summary>The output's tokenizer, where the recipe asks for one; null: the donor's.</summary>
    public TokenizerEdit? Tokenizer { get; init; }

    /// <summary>The output's chat template; null: the one that comes with the tokenizer.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Rows of the output's embeddings, where they are not the donor's.</summary>
    public long? VocabularySize { get; init; }

    /// <summary>Whether the output ties its head, where the donor's config says otherwise.</summary>
    public bool? TiesHead { get; init; }
}

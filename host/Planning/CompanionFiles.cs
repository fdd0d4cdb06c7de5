using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>How the tokenizer's files beside the output's weights differ from the donor's.</summary>
internal sealed record CompanionFiles
{
    /// <summary>The output's tokenizer, where the recipe asks for one; null: the donor's.</summary>
    public TokenizerEdit? Tokenizer { get; init; }

    /// <summary>The output's chat template; null: the one that comes with the tokenizer.</summary>
    public string? ChatTemplate { get; init; }
}

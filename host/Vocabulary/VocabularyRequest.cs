namespace Merge.Vocabulary;

/// <summary>What the output's vocabulary is made from.</summary>
internal sealed record VocabularyRequest
{
    /// <summary>All that take part, the base among them.</summary>
    public required IReadOnlyList<VocabularyModel> Models { get; init; }

    /// <summary>The base, whose row goes before a mean; null where the recipe names none.</summary>
    public required int? Base { get; init; }

    /// <summary>The tokenizer the output's begins with.</summary>
    public required Tokenizer Source { get; init; }

    /// <summary>Rows of the source's own embedding; tokens behind them are left out. Null: no such embedding here.</summary>
    public required long? SourceRows { get; init; }

    /// <summary>Whether the other models' tokens are added.</summary>
    public required bool IsUnion { get; init; }

    public IReadOnlyList<TokenRule> Rules { get; init; } = [];

    /// <summary>What the number of rows is rounded up to a multiple of.</summary>
    public long PadTo { get; init; } = 1;
}

/// <summary>A model as its vocabulary sees it.</summary>
/// <param name="Text">The recipe's name for it.</param>
/// <param name="Tokenizer">Its own, or the one it is taken to have.</param>
/// <param name="Rows">Rows of its embedding.</param>
internal sealed record VocabularyModel(string Text, Tokenizer Tokenizer, long Rows)
{
    /// <summary>The token's row, or null where the model has no such token or no row for it.</summary>
    public long? RowOf(string token) =>
        Tokenizer.Ids.TryGetValue(token, out var id) && id < Rows ? id : null;
}

/// <summary>What a recipe says of one token.</summary>
/// <param name="Token">The token; added to the vocabulary where it is not there.</param>
/// <param name="From">The row of models that lack it; null: as for any other token.</param>
/// <param name="Force">Whether models that have it take that row too.</param>
/// <param name="Where">The recipe's line.</param>
internal sealed record TokenRule(string Token, TokenOrigin? From, bool Force, string Where);

/// <summary>A named row: zeros, or some model's.</summary>
/// <param name="Model">The model; null: zeros.</param>
/// <param name="Token">A token of that model; null: the rule's own, or <paramref name="Id"/>.</param>
/// <param name="Id">A row of that model, token or not.</param>
internal sealed record TokenOrigin(int? Model, string? Token = null, long? Id = null);

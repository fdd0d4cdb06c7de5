namespace Merge.Recipes;

/// <summary>What <c>tokenizer</c>, or <c>tokenizer_source</c>, says.</summary>
/// <param name="Source">Whose vocabulary the output has.</param>
/// <param name="Tokens">What is said of single tokens.</param>
/// <param name="PadToMultipleOf">At least 1.</param>
internal sealed record TokenizerRecipe(
    VocabularySource Source, IReadOnlyList<TokenRecipe> Tokens, int PadToMultipleOf, int Line)
{
    /// <summary>Every model it names.</summary>
    public IEnumerable<ModelReference> References =>
        Tokens.Select(t => t.Source?.Model).Append(Source.Model).OfType<ModelReference>();
}

/// <summary>Whose vocabulary.</summary>
/// <param name="Model">One model's; null: the base's, or all models'.</param>
/// <param name="IsUnion">All models'.</param>
internal sealed record VocabularySource(ModelReference? Model, bool IsUnion, int Line);

/// <param name="Source">Where the rows of models without the token come from; null: as for any other.</param>
/// <param name="Force">Whether models that have it take that row, too.</param>
internal sealed record TokenRecipe(string Token, TokenSource? Source, bool Force, int Line);

/// <summary>A row.</summary>
/// <param name="Model">The model it is in; null: zeros.</param>
/// <param name="Token">A token of that model, by its text; null: the same one, or by its id.</param>
/// <param name="TokenId">A row of that model by its number.</param>
internal sealed record TokenSource(ModelReference? Model, string? Token, long? TokenId);

/// <param name="Text"><c>auto</c>, a known template's name, or a Jinja template.</param>
internal sealed record ChatTemplateRecipe(string Text, int Line);

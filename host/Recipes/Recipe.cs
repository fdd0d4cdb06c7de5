using System.Security.Cryptography;
using System.Text;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>What to merge, and how, as the recipe says it: nothing is resolved or bound yet.</summary>
/// <param name="Path">Where the text comes from, for messages.</param>
/// <param name="Text">The text, unchanged.</param>
/// <param name="Method">The id of the merge method.</param>
/// <param name="Models">At least one; the base only where the list names it too.</param>
/// <param name="Parameters">Those of every model.</param>
/// <param name="DType">As given: the output's too, unless <paramref name="OutDType"/> is given.</param>
internal sealed record Recipe(
    string Path,
    string Text,
    string Method,
    int MethodLine,
    IReadOnlyList<RecipeModel> Models,
    ModelReference? BaseModel,
    RecipeParameters Parameters,
    DType? DType,
    DType? OutDType,
    ulong Seed)
{
    /// <summary>What it says of the output's vocabulary; null: the donor's files are copied.</summary>
    public TokenizerRecipe? Tokenizer { get; init; }

    public ChatTemplateRecipe? ChatTemplate { get; init; }

    /// <summary>SHA-256 of the text, in lower-case hex.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
}

/// <param name="Text"><c>org/name[@revision]</c>, a path, or a trajectory's pattern.</param>
internal sealed record ModelReference(string Text, int Line)
{
    /// <summary>Stands for the checkpoints of a run: it holds <c>*</c> or <c>?</c>.</summary>
    public bool IsTrajectory => Text.AsSpan().ContainsAny('*', '?');
}

/// <summary>One entry of <c>models</c>.</summary>
/// <param name="Window">Which checkpoints of a trajectory count.</param>
internal sealed record RecipeModel(ModelReference Model, RecipeParameters Parameters,
    TrajectoryWindow Window = default);

/// <summary>
/// Which checkpoints of a trajectory count: of the <see cref="Last"/> newest every <see cref="Every"/>-th, counted from
/// the newest, which always stays.
/// </summary>
/// <param name="Last">At least 1; null: all.</param>
/// <param name="Every">At least 1; null: 1.</param>
internal readonly record struct TrajectoryWindow(int? Last, int? Every);

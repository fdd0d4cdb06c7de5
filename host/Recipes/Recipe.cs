using System.Security.Cryptography;
using System.Text;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>What to merge, and how, as the recipe says it: nothing is resolved or bound yet.</summary>
/// <param name="Path">Where the text comes from, for messages.</param>
/// <param name="Text">The text, unchanged.</param>
/// <param name="Method">The id of the merge method.</param>
/// <param name="Models">Whole models; none where <see cref="Slices"/> or <see cref="Modules"/> say what is merged. The
/// base only where the list names it too.</param>
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
    /// <summary>Where it begins: a file may hold several.</summary>
    public int Line { get; init; } = 1;

    /// <summary>What the others of its file call its result; of no effect in a recipe of one.</summary>
    public StageName? Name { get; init; }

    /// <summary>The merges of the same file that it builds on, in the order they run.</summary>
    public IReadOnlyList<Recipe> Stages { get; init; } = [];

    /// <summary>The output's layers, first to last; empty where whole models are merged.</summary>
    public IReadOnlyList<RecipeSlice> Slices { get; init; } = [];

    /// <summary>The parts of the model that are merged each in its own way; empty where the recipe names none.</summary>
    public IReadOnlyList<RecipeModule> Modules { get; init; } = [];

    /// <summary>Where the models' <c>metric</c> is read from; null: the recipe gives it, or the method has none.</summary>
    public MetricsRecipe? Metrics { get; init; }

    /// <summary>What it says of the output's vocabulary; null: the donor's files are copied.</summary>
    public TokenizerRecipe? Tokenizer { get; init; }

    public ChatTemplateRecipe? ChatTemplate { get; init; }

    /// <summary>What a search is to choose; null where nothing is searched.</summary>
    public SearchRecipe? Search { get; init; }

    /// <summary>Who scores candidates; null where it does not say.</summary>
    public EvaluateRecipe? Evaluate { get; init; }

    /// <summary>What a search is to reach; null where it does not say.</summary>
    public ObjectiveRecipe? Objective { get; init; }

    public SplitsRecipe Splits { get; init; } = new();

    /// <summary>Its sections that only a search looks at.</summary>
    public IReadOnlyList<YamlEntry> SearchSections { get; init; } = [];

    /// <summary>Says, where the recipe is merged and not searched, which sections have no effect; null: none.</summary>
    public Diagnostic? IdleSections => SearchSections.Count == 0 ? null
        : new($"{string.Join(", ", SearchSections.Select(s => $"'{s.Key}'"))} "
            + $"{(SearchSections.Count == 1 ? "has" : "have")} no effect here: the recipe is merged as it stands")
        {
            Severity = Severity.Warning,
            Where = $"{Path}, line {SearchSections[0].Line}",
            Fix = "`merge search` looks for the best values.",
        };

    /// <summary>All it says, as it stands there; null where it was not read from text.</summary>
    public YamlMap? Map { get; init; }

    /// <summary>How a merge of adapters is written; null: it does not say.</summary>
    public AdapterOutputRecipe? Adapter { get; init; }

    /// <summary>What stands in it without effect.</summary>
    public IReadOnlyList<Diagnostic> Warnings { get; init; } = [];

    /// <summary>Every model it names, as often as it does.</summary>
    public IEnumerable<ModelReference> References
    {
        get
        {
            var slices = Slices.Concat(Modules.SelectMany(m => m.Slices)).ToArray();
            return Models.Concat(Modules.SelectMany(m => m.Models)).Concat(slices.SelectMany(s => s.Sources))
                .Select(m => m.Model)
                .Concat(slices.Select(s => s.BaseModel).Append(BaseModel).OfType<ModelReference>())
                .Concat(Tokenizer?.References ?? []);
        }
    }

    /// <summary>SHA-256 of the text, in lower-case hex.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));
}

/// <summary>The name of one merge among several.</summary>
internal sealed record StageName(string Text, int Line);

/// <param name="Text"><c>org/name[@revision]</c>, a path, or a trajectory's pattern.</param>
internal sealed record ModelReference(string Text, int Line)
{
    /// <summary>The adapters in it, where the recipe lists them below the model; those after '+' stand in the text.</summary>
    public IReadOnlyList<AdapterReference> Adapters { get; init; } = [];

    /// <summary>Stands for the checkpoints of a run: it holds <c>*</c> or <c>?</c>.</summary>
    public bool IsTrajectory => Text.AsSpan().ContainsAny('*', '?');
}

/// <param name="Text"><c>org/name[@revision]</c> or a path.</param>
/// <param name="Weight">What its change is multiplied with.</param>
internal sealed record AdapterReference(string Text, double Weight, int Line);

/// <summary>One entry of <c>models</c>, or one source of a slice.</summary>
/// <param name="Window">Which checkpoints of a trajectory count.</param>
/// <param name="Layers">Of a slice's source.</param>
internal sealed record RecipeModel(ModelReference Model, RecipeParameters Parameters,
    TrajectoryWindow Window = default, LayerRange? Layers = null);

/// <summary>Layers from <see cref="Start"/> up to, but not including, <see cref="End"/>.</summary>
internal readonly record struct LayerRange(int Start, int End)
{
    public int Count => End - Start;

    public override string ToString() => $"[{Start}, {End}]";
}

/// <summary>Some layers of the output, made of as many layers of each source.</summary>
/// <param name="Sources">At least one, each with its layers.</param>
/// <param name="BaseModel">Goes before the recipe's.</param>
internal sealed record RecipeSlice(
    int Line, IReadOnlyList<RecipeModel> Sources, ModelReference? BaseModel, RecipeParameters Parameters);

/// <summary>One part of the model: whole from some models, or in slices.</summary>
internal sealed record RecipeModule(
    string Name,
    int Line,
    IReadOnlyList<RecipeModel> Models,
    IReadOnlyList<RecipeSlice> Slices,
    RecipeParameters Parameters);

/// <summary>
/// Which checkpoints of a trajectory count: of the <see cref="Last"/> newest every <see cref="Every"/>-th, counted from
/// the newest, which always stays.
/// </summary>
/// <param name="Last">At least 1; null: all.</param>
/// <param name="Every">At least 1; null: 1.</param>
internal readonly record struct TrajectoryWindow(int? Last, int? Every);

using System.Collections.Immutable;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>Everything that is decided before the first byte is read: every tensor, its inputs, its place.</summary>
internal sealed record MergePlan
{
    public required MergeStrategy Strategy { get; init; }

    /// <summary>
    /// The method's models in the order of the recipe, each once where there are slices; the base is among them only as
    /// a member. A tensor need not have inputs from all of them.
    /// </summary>
    public required IReadOnlyList<Checkpoint> Models { get; init; }

    /// <summary>The base, where the method uses one.</summary>
    public required Checkpoint? Base { get; init; }

    /// <summary>The model that lends config, tokenizer, order and, unless the recipe says so, dtypes.</summary>
    public required Checkpoint Donor { get; init; }

    /// <summary>The text of the output's config; null: the donor's, unchanged.</summary>
    public string? Config { get; init; }

    /// <summary>All tensors of the output, in the order they are worked on.</summary>
    public required IReadOnlyList<TensorPlan> Tensors { get; init; }

    public required SafetensorsLayout Layout { get; init; }

    /// <summary>The dtype the recipe asks for, or null where each tensor keeps its own.</summary>
    public required DType? OutType { get; init; }

    public required ulong Seed { get; init; }

    public required IReadOnlyList<Diagnostic> Warnings { get; init; }

    /// <summary>Every file that is read (models, base, side inputs) and the recipe's name for what it belongs to.</summary>
    public required IReadOnlyList<(string Model, CheckpointFile File)> InputFiles { get; init; }

    /// <summary>Every checkpoint the recipe names, whether its tensors are read or it only lends its config.</summary>
    public required IReadOnlyList<Checkpoint> Opened { get; init; }

    /// <summary>What of the tokenizer's files is not the donor's.</summary>
    public CompanionFiles Companions { get; init; } = new();

    /// <summary>What else, outside recipe, plugin, models and layout, decides the bytes of the output.</summary>
    public IReadOnlyList<string> Distinctions { get; init; } = [];

    /// <summary>What it converts, as the model card says it; null: it merges.</summary>
    public string? Conversion { get; init; }

    /// <summary>What it knows besides where it makes an adapter; null: it makes a model.</summary>
    public AdapterOutput? Adapter { get; init; }

    public required PlanOrigin Origin { get; init; }

    public required PluginIdentity Plugin { get; init; }

    public long OutputBytes => Layout.Files.Sum(f => f.Size);

    /// <summary>Bytes one pass over everything reads.</summary>
    public long InputBytes => Adapter is { IsExtracted: false } ? InputFiles.Sum(f => f.File.Size) : Tensors.Sum(t => t.Inputs.Sum(i => i.Length));
}

/// <summary>The recipe as its user wrote it.</summary>
/// <param name="Text">The whole file.</param>
/// <param name="ModelTexts">Every model it names, the base included, each once.</param>
/// <param name="BaseText">The base, if it names one.</param>
internal sealed record PlanOrigin(string Text, IReadOnlyList<string> ModelTexts, string? BaseText)
{
    /// <summary>Those models that were found in the Hugging Face cache, by their repository's name.</summary>
    public IReadOnlyList<string> Repositories { get; init; } = [];

    /// <summary>The merges of the same recipe it builds on, in the order they ran.</summary>
    public IReadOnlyList<StageOrigin> Stages { get; init; } = [];
}

/// <summary>A named merge that another builds on.</summary>
/// <param name="ModelTexts">The models it names, each once.</param>
/// <param name="Folder">Where its result is.</param>
internal sealed record StageOrigin(string Name, string Method, IReadOnlyList<string> ModelTexts, string Folder)
{
    public static StageOrigin Of(Recipe stage, string folder) =>
        new(stage.Name!.Text, stage.Method, [.. stage.References.Select(r => r.Text).Distinct()], folder);
}

/// <summary>The plugin that brings the method.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Version">Its assembly's version.</param>
/// <param name="Digest">SHA-256 over its files.</param>
internal sealed record PluginIdentity(string Name, string Version, string Digest);

/// <summary>One tensor of the output.</summary>
internal sealed record TensorPlan
{
    public required TensorInfo Info { get; init; }

    public required DType OutType { get; init; }

    /// <summary>The strategy's options for it; null where the tensor is copied, not merged.</summary>
    public required object? Options { get; init; }

    /// <summary>What the options hold, and the recipe lines it comes from.</summary>
    public IReadOnlyList<BoundParameter> Values { get; init; } = [];

    /// <summary>Where its values stand in each model, under the model's own name for it; for a copied tensor just the one it is copied from.</summary>
    public required ImmutableArray<TensorSource> Models { get; init; }

    public required TensorSource? Base { get; init; }

    public required ImmutableArray<SideTensor> Sides { get; init; }

    /// <summary>Where its layer stands in its slice or stack, from 0 to 1: what gradients go by.</summary>
    public double T { get; init; }

    public bool IsCopied => Options is null;

    /// <summary>A tensor that is taken over: bit for bit, unless another dtype is asked for.</summary>
    public static TensorPlan Copy(TensorInfo info, TensorSource source, DType? outType = null) => new()
    {
        Info = info,
        OutType = outType ?? source.DType,
        Options = null,
        Models = [source],
        Base = null,
        Sides = [],
    };

    public IEnumerable<TensorSource> Inputs =>
        (Base is null ? Models : Models.Add(Base)).Concat(Sides.SelectMany(s => s.Stored));

    public TensorSource Stored(InputKey key) => key.Side is { } name
        ? Side(name, key.Model) is { Shape: SideShape.SameAsTensor } side ? side.Whole! : throw MergeException.Plugin(
            $"side input '{name}' is used as a value of each element, and is a matrix of its own",
            where: Info.Name,
            fix: "Ask TensorScan.SideMatrix for it.")
        : key.Model < 0 ? Base! : Models[key.Model];

    /// <summary>Σ r of a model's change where it is a task vector made of factors; 0 of a module an adapter leaves alone;
    /// null of a model's own weights.</summary>
    public int? TaskVectorRank(int model) => Models[model] switch
    {
        AdaptedTensor { TaskVectorRank: { } rank } => rank,
        ZeroTensor => 0,
        _ => null,
    };

    public SideTensor? Side(string name, int model) =>
        Sides.FirstOrDefault(s => s.Model == model && s.Name == name);
}

/// <summary>A side input of one model for one tensor: stored whole, or as row and column sums (rank 1).</summary>
internal sealed record SideTensor(string Name, int Model, TensorSource? Whole, TensorSource? RowSum, TensorSource? ColumnSum)
{
    public SideShape Shape { get; init; }

    public IEnumerable<TensorSource> Stored => new[] { Whole, RowSum, ColumnSum }.OfType<TensorSource>();
}

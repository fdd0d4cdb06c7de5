using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What an extraction is asked for.</summary>
/// <param name="Choice">How much of each module's change is kept.</param>
/// <param name="RankPattern">Ranks of modules, by keys as PEFT's patterns have them: the first that matches holds.</param>
/// <param name="Targets">Names of modules, or their last parts; empty: every linear layer.</param>
/// <param name="Saved">Parameters that the adapter brings whole, named like the targets.</param>
/// <param name="FanInFanOut">Whether weights are stored [inputs, outputs].</param>
/// <param name="OutType">What factors are written as.</param>
/// <param name="BaseModel">What the config calls the base.</param>
internal sealed record ExtractionRequest(
    RankChoice Choice,
    IReadOnlyList<(string Key, int Rank)> RankPattern,
    IReadOnlyList<string> Targets,
    IReadOnlyList<string> Saved,
    bool FanInFanOut,
    DType OutType,
    string BaseModel);

/// <summary>Turns the plan of a merge of one model onto its base into that of an adapter of their difference.</summary>
internal static partial class Extraction
{
    // GPT-2 and its kin store most layers [inputs, outputs], as Conv1D.
    private static readonly string[] TransposedModels = ["gpt2", "openai-gpt", "imagegpt", "decision_transformer"];

    private static readonly string[] TransposedLayers = ["c_attn", "q_attn", "c_proj", "c_fc"];

    /// <param name="plan">One model and a base; tensors whose shapes differ are not in it.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="others">Gets the tensors that no part of the adapter covers.</param>
    /// <param name="unlike">Gets the names of those among which the models' shapes differ.</param>
    /// <exception cref="MergeException">A target or a parameter that is asked for is in no tensor's name, or has no difference.</exception>
    public static MergePlan Of(
        MergePlan plan, ExtractionRequest request, out IReadOnlyList<TensorPlan> others, out IReadOnlyList<string> unlike)
    {
        if (plan.Adapter is not null)
        {
            throw new MergeException(new Diagnostic("MODEL is an adapter already")
            {
                Where = plan.Models[0].Path,
                Expected = "a fine-tuned model, whole",
                Fix = "To change its rank, run a recipe of this adapter alone with 'adapter: {rank: …}'; with others in its model: 'base+adapter'.",
            })
            { WrongUsage = true };
        }
        TensorSource[] differing =
        [
            .. plan.Models[0].Tensors.Values.Where(t => t.DType.IsMergeable()
                && plan.Base!.Tensors.GetValueOrDefault(t.Name) is { } theta0 && !theta0.Shape.AsSpan().SequenceEqual(t.Shape.AsSpan())),
        ];
        TensorPlan[] merged = [.. plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0)];
        TensorInfo[] known = [.. merged.Select(t => t.Info), .. differing.Select(t => TensorNaming.Describe(t.Name, t.Shape))];
        SavedModules.CheckTied(plan, request.Targets);
        CheckTargets(request.Targets, [.. known.Select(t => t.Name)]);
        var warnings = new List<Diagnostic>();
        var saved = SavedModules.Of(plan, request.Saved, merged, differing, warnings);
        differing = [.. differing.Where(t => !saved.Any(s => s.Info.Name == t.Name))];
        CheckShapes(plan, request, differing);
        unlike = [.. differing.Select(t => t.Name)];
        TensorPlan[] layers = [.. merged.Where(t => IsLinear(t.Info)
            && (request.Targets.Count == 0 ? IsLayer(t.Info) : request.Targets.Any(n => IsNamed(t.Info.Name, n))))];
        TensorPlan[] targets = [.. layers.Except(saved)];
        if (targets.Length == 0)
            throw WithoutFactors(plan, layers);
        CheckRanks(request, [.. targets.Select(t => ModuleOf(t.Info.Name))]);
        string[] modules = [.. plan.Models[0].Tensors.Keys.Concat(plan.Base!.Tensors.Keys).Where(t => t.Contains('.'))
            .SelectMany(t => MergedConfig.Holders(SavedModules.Owner(t))).Distinct()];
        SavedModules.CheckHits(saved.Select(t => t.Info.Name), known.Select(t => t.Name).Except(saved.Select(t => t.Info.Name)), modules);
        warnings.AddRange(SavedModules.Doubts(plan, saved.Concat(targets)));
        var modelType = AdapterConfig.TextOf(plan.Donor.Config?["model_type"]);
        others = [.. merged.Except(saved).Except(targets)];
        return plan with
        {
            Warnings = [.. plan.Warnings, .. warnings],
            Tensors = [.. plan.Tensors.Where(t => targets.Contains(t) || saved.Contains(t)), .. saved.Except(plan.Tensors)],
            Adapter = new AdapterOutput(
                [],
                targets.ToDictionary(t => t.Info.Name, t => (Like(t.Info, IsTransposed(t.Info, request, modelType)), (IReadOnlyList<AdapterModule?>)[])),
                saved.ToDictionary(t => t.Info.Name, t => (IReadOnlyList<TensorSource?>)[t.Models[0]]),
                request.Choice,
                AdapterCombination.Exact,
                request.OutType,
                request.BaseModel)
            {
                RankPattern = [.. request.RankPattern.Select(p => (AdapterConfig.Matcher(p.Key)!, p.Rank))],
                AllModules = modules,
            },
        };
    }

    private static bool IsLinear(TensorInfo info) =>
        info.Rank == 2 && info.Name.EndsWith(".weight", StringComparison.Ordinal);

    /// <summary>Whether it is adapted where nothing is said: no head, and by its name no embedding.</summary>
    private static bool IsLayer(TensorInfo info) => info.Kind == TensorKind.Weight && !IsEmbedding(info);

    // PEFT tells by the module's class; names are all there is here. What is doubtful is left out, and said.
    private static bool IsEmbedding(TensorInfo info) => info.Kind != TensorKind.Head
        && (info.Kind == TensorKind.Embedding || EmbeddingName().IsMatch(info.Name));

    private static bool IsTransposed(TensorInfo info, ExtractionRequest request, string? modelType) => !IsEmbedding(info)
        && (TransposedModels.Contains(modelType)
            ? TransposedLayers.Contains(ModuleOf(info.Name).Split('.')[^1]) : request.FanInFanOut);

    private static string ModuleOf(string weight) => weight[..^".weight".Length];

    /// <summary>Whether a target means a tensor: its module by the whole name or what follows a dot, or itself.</summary>
    public static bool IsNamed(string tensor, string name) =>
        tensor == name || tensor.EndsWith($".{name}.weight", StringComparison.Ordinal) || tensor == $"{name}.weight"
        || tensor.EndsWith($".{name}.bias", StringComparison.Ordinal) || tensor == $"{name}.bias";

    private static AdapterModule Like(TensorInfo info, bool isConv1D)
    {
        var (rows, columns) = (info.Shape[0], info.Shape[1]);
        var isTransposed = isConv1D || IsEmbedding(info);
        return new AdapterModule
        {
            Name = ModuleOf(info.Name),
            IsEmbedding = IsEmbedding(info),
            Layout = isTransposed ? FactorLayout.Transposed : FactorLayout.Linear,
            A = new ZeroTensor("A", [1, isTransposed ? rows : columns]),
            B = new ZeroTensor("B", [isTransposed ? columns : rows, 1]),
            Scale = 1,
        };
    }

    /// <summary>Nothing can be taken of a difference of tensors that are not of one shape.</summary>
    private static void CheckShapes(MergePlan plan, ExtractionRequest request, TensorSource[] differing)
    {
        Diagnostic[] problems =
        [
            .. differing.Where(t => TensorNaming.Describe(t.Name, t.Shape) is var info && (request.Targets.Count > 0
                ? request.Targets.Any(n => IsNamed(t.Name, n)) : IsLinear(info) && IsLayer(info))).Select(t => new Diagnostic(
                $"'{t.Name}' is [{string.Join(", ", t.Shape)}] in the model and "
                + $"[{string.Join(", ", plan.Base!.Tensors[t.Name].Shape)}] in the base: there is no difference to factor")
            {
                Where = plan.Models[0].Path,
                Expected = "one shape in both models",
                Fix = TokenEmbedding.HasTokenRows(t.Name, t.Shape.Length)
                    ? $"Bring it whole: --save {ModuleOf(t.Name).Split('.')[^1]}."
                    : "Give the base the model was fine-tuned from; or name the modules that are meant with --target.",
            }),
        ];
        if (problems.Length > 0)
            throw new MergeException(problems);
    }

    private static void CheckRanks(ExtractionRequest request, string[] modules)
    {
        Diagnostic[] unused =
        [
            .. request.RankPattern.Where(p => !modules.Any(AdapterConfig.Matcher(p.Key)!.IsMatch)).Select(p => new Diagnostic(
                $"'{p.Key}' in --module-rank is no module that is adapted")
            {
                Where = "command line",
                Expected = "the name of a module, or its last part such as q_proj",
                Fix = NearestMatch.Question(p.Key, modules.Select(m => m.Split('.')[^1]).Distinct()),
            }),
        ];
        if (unused.Length > 0)
            throw new MergeException(unused) { WrongUsage = true };
    }

    private static void CheckTargets(IReadOnlyList<string> names, string[] tensors)
    {
        Diagnostic[] unused =
        [
            .. names.Where(n => !tensors.Any(t => IsNamed(t, n))).Select(n => new Diagnostic($"'{n}' is a target and in no tensor's name")
            {
                Where = "command line",
                Expected = "the name of a module with a weight, or its last part such as q_proj",
                Fix = NearestMatch.Question(n, tensors.Where(t => t.EndsWith(".weight", StringComparison.Ordinal))
                    .Select(t => ModuleOf(t).Split('.')[^1]).Distinct()),
            }),
        ];
        if (unused.Length > 0)
            throw new MergeException(unused) { WrongUsage = true };
    }

    private static MergeException WithoutFactors(MergePlan plan, TensorPlan[] layers) => layers.Length == 0
        ? new(new Diagnostic("no tensor is the weight of a linear layer")
        {
            Where = plan.Models[0].Path,
            Expected = "2-D tensors named …weight",
        })
        : new(new Diagnostic($"all that would get factors is saved whole: {string.Join(", ", layers.Take(4).Select(t => t.Info.Name))}"
            + (layers.Length > 4 ? ", …" : ""))
        {
            Where = "command line",
            Expected = "at least one module with factors: PEFT loads no adapter without",
            Fix = "Name another module with --target, or fewer with --save.",
        })
        { WrongUsage = true };

    [GeneratedRegex(
        @"(^|\.)((?!unembed)\w*embeddings?|\w*_embs?|embs?|embed|pos_embed|embed_positions|embed_tokens\w*|\w+_embed|wte|wpe|shared|relative_attention_bias)(\.\d+)?\.weight$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex EmbeddingName();
}

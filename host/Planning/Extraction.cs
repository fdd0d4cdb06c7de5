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
        // A tied head is the embedding: whichever is named, both are brought.
        if (SavedModules.Tied(plan) is { } tied)
            request = request with { Saved = [.. request.Saved.Select(s => IsNamed(tied.Name, s) ? tied.Embedding.Name : s)] };
        CheckUse(request.Targets, "a target", known);
        CheckUse(request.Saved, "a parameter to save", known);
        // PEFT wraps modules: of each it looks for all parameters.
        HashSet<string> wrapped = [.. known.Select(t => t.Name).Where(n => request.Saved.Any(s => IsNamed(n, s))).Select(SavedModules.Owner)];
        TensorPlan[] saved =
        [
            .. merged.Where(t => wrapped.Contains(SavedModules.Owner(t.Info.Name))),
            .. differing.Where(t => wrapped.Contains(SavedModules.Owner(t.Name)))
                .Select(t => TensorPlan.Copy(TensorNaming.Describe(t.Name, t.Shape), t)),
        ];
        saved = [.. saved, .. SavedModules.TiedHead(plan, saved)];
        differing = [.. differing.Where(t => !saved.Any(s => s.Info.Name == t.Name))];
        CheckShapes(plan, request, differing);
        unlike = [.. differing.Select(t => t.Name)];
        TensorPlan[] targets = [.. merged.Except(saved).Where(t => IsLinear(t.Info)
            && (request.Targets.Count == 0 ? IsLayer(t.Info) : request.Targets.Any(n => IsNamed(t.Info.Name, n))))];
        if (targets.Length == 0)
        {
            throw new MergeException(new Diagnostic("no tensor is the weight of a linear layer")
            {
                Where = plan.Models[0].Path,
                Expected = "2-D tensors named …weight",
            });
        }
        CheckRanks(request, [.. targets.Select(t => ModuleOf(t.Info.Name))]);
        string[] modules = [.. plan.Models[0].Tensors.Keys.Concat(plan.Base!.Tensors.Keys).SelectMany(Modules).Distinct()];
        SavedModules.CheckHits([.. saved.Select(t => SavedModules.Owner(t.Info.Name)).Distinct()], modules);
        SavedModules.CheckTied(plan, targets);
        var modelType = AdapterConfig.TextOf(plan.Donor.Config?["model_type"]);
        others = [.. merged.Except(saved).Except(targets)];
        return plan with
        {
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

    /// <summary>A tensor's module and all that hold it.</summary>
    private static IEnumerable<string> Modules(string tensor)
    {
        for (var dot = tensor.LastIndexOf('.'); dot > 0; dot = tensor.LastIndexOf('.', dot - 1))
            yield return tensor[..dot];
    }

    private static string ModuleOf(string weight) => weight[..^".weight".Length];

    private static bool IsNamed(string tensor, string name) =>
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

    private static void CheckUse(IReadOnlyList<string> names, string what, TensorInfo[] tensors)
    {
        Diagnostic[] unused =
        [
            .. names.Where(n => !tensors.Any(t => IsNamed(t.Name, n))).Select(n => new Diagnostic(
                $"'{n}' is {what} and in no tensor's name")
            {
                Where = "command line",
                Expected = "the name of a module, or its last part such as q_proj",
                Fix = NearestMatch.Question(n, tensors.Select(t => t.Name.Split('.') is [.., var last, _] ? last : t.Name).Distinct()),
            }),
        ];
        if (unused.Length > 0)
            throw new MergeException(unused) { WrongUsage = true };
    }

    [GeneratedRegex(
        @"(^|\.)((?!unembed)\w*embeddings?|\w*_embs?|embs?|embed|pos_embed|embed_positions|embed_tokens\w*|\w+_embed|wte|wpe|shared|relative_attention_bias)(\.\d+)?\.weight$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex EmbeddingName();
}

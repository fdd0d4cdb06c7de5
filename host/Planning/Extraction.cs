using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What an extraction is asked for.</summary>
/// <param name="Choice">How much of each module's change is kept.</param>
/// <param name="RankPattern">Ranks of modules: the first key that matches holds.</param>
/// <param name="Targets">Names of modules, or their last parts; empty: every linear layer.</param>
/// <param name="Saved">Parameters that the adapter brings whole, named like the targets.</param>
/// <param name="FanInFanOut">Whether weights are stored [inputs, outputs].</param>
/// <param name="OutType">What factors are written as.</param>
/// <param name="BaseModel">What the config calls the base.</param>
internal sealed record ExtractionRequest(
    RankChoice Choice,
    IReadOnlyList<(Regex Key, int Rank)> RankPattern,
    IReadOnlyList<string> Targets,
    IReadOnlyList<string> Saved,
    bool FanInFanOut,
    DType OutType,
    string BaseModel);

/// <summary>Turns the plan of a merge of one model onto its base into that of an adapter of their difference.</summary>
internal static class Extraction
{
    /// <param name="plan">One model and a base.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="others">Gets the tensors that no part of the adapter covers.</param>
    /// <exception cref="MergeException">A target or a parameter that is asked for is in no tensor's name.</exception>
    public static MergePlan Of(MergePlan plan, ExtractionRequest request, out IReadOnlyList<TensorPlan> others)
    {
        TensorPlan[] merged = [.. plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0)];
        CheckUse(request.Targets, "a target", merged);
        CheckUse(request.Saved, "a parameter to save", merged);
        TensorPlan[] saved = [.. merged.Where(t => request.Saved.Any(s => IsNamed(t.Info.Name, s)))];
        TensorPlan[] targets = [.. merged.Except(saved).Where(t => IsLinear(t.Info)
            && (request.Targets.Count == 0 ? t.Info.Kind == TensorKind.Weight : request.Targets.Any(n => IsNamed(t.Info.Name, n))))];
        if (targets.Length == 0)
        {
            throw new MergeException(new Diagnostic("no tensor is the weight of a linear layer")
            {
                Where = plan.Models[0].Path,
                Expected = "2-D tensors named …weight",
            });
        }
        others = [.. merged.Except(saved).Except(targets)];
        return plan with
        {
            Tensors = [.. plan.Tensors.Where(t => targets.Contains(t) || saved.Contains(t))],
            Adapter = new AdapterOutput(
                [],
                targets.ToDictionary(t => t.Info.Name, t => (Like(t.Info, request.FanInFanOut), (IReadOnlyList<AdapterModule?>)[])),
                saved.ToDictionary(t => t.Info.Name, t => (IReadOnlyList<TensorSource?>)[t.Models[0]]),
                request.Choice,
                AdapterCombination.Exact,
                request.OutType,
                request.BaseModel)
            {
                RankPattern = request.RankPattern,
                AllModules = [.. merged.Where(t => IsLinear(t.Info)).Select(t => ModuleOf(t.Info.Name))],
            },
        };
    }

    private static bool IsLinear(TensorInfo info) =>
        info.Rank == 2 && info.Name.EndsWith(".weight", StringComparison.Ordinal);

    private static string ModuleOf(string weight) => weight[..^".weight".Length];

    private static bool IsNamed(string tensor, string name) =>
        tensor == name || tensor.EndsWith($".{name}.weight", StringComparison.Ordinal) || tensor == $"{name}.weight"
        || tensor.EndsWith($".{name}.bias", StringComparison.Ordinal) || tensor == $"{name}.bias";

    private static AdapterModule Like(TensorInfo info, bool fanInFanOut)
    {
        var (rows, columns) = (info.Shape[0], info.Shape[1]);
        return new AdapterModule
        {
            Name = ModuleOf(info.Name),
            Layout = fanInFanOut ? FactorLayout.Transposed : FactorLayout.Linear,
            A = new ZeroTensor("A", [1, fanInFanOut ? rows : columns]),
            B = new ZeroTensor("B", [fanInFanOut ? columns : rows, 1]),
            Scale = 1,
        };
    }

    private static void CheckUse(IReadOnlyList<string> names, string what, TensorPlan[] tensors)
    {
        Diagnostic[] unused =
        [
            .. names.Where(n => !tensors.Any(t => IsNamed(t.Info.Name, n))).Select(n => new Diagnostic(
                $"'{n}' is {what} and in no tensor's name")
            {
                Where = "command line",
                Expected = "the name of a module, or its last part such as q_proj",
                Fix = NearestMatch.Question(n, tensors.Select(t => t.Info.Name.Split('.') is [.., var last, _] ? last : t.Info.Name).Distinct()),
            }),
        ];
        if (unused.Length > 0)
            throw new MergeException(unused) { WrongUsage = true };
    }
}

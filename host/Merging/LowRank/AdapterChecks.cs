using Merge.Adapters;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// What a merge of adapters would be refused for while it runs, as far as the method answers without having seen a value:
/// whether its answer can be written as an adapter in the way the recipe asks. Who looks for the largest elements drops the
/// others one by one: what is left is no product of few factors, whatever the values.
/// </summary>
internal static class AdapterChecks
{
    /// <param name="plan">Any; one that makes a model is not looked at.</param>
    /// <param name="isOpen">Whether parameters are still searched: what depends on their values is left to each candidate.</param>
    /// <exception cref="MergeException">Every reason, each once; the recipe is at fault.</exception>
    public static void Check(MergePlan plan, bool isOpen = false)
    {
        if (plan.Adapter is not { IsExtracted: false } output)
            return;
        if (plan.Strategy.HasSurvey)
        {
            CheckSurveyed(plan, output);
            return;
        }
        var found = new List<Diagnostic>();
        foreach (var tensor in plan.Tensors.Where(t => t.Info.Count > 0 && !(isOpen && output.Saved.ContainsKey(t.Info.Name))))
        {
            try
            {
                Check(plan, output, tensor, isOpen);
            }
            catch (MergeException refused)
            {
                found.AddRange(refused.Diagnostics);
            }
        }
        Throw(found);
    }

    /// <summary>Whether the method answers with a linear combination, or with factors, without having seen a value.</summary>
    public static bool IsLinear(MergePlan plan, TensorPlan tensor)
    {
        if (plan.Strategy.HasSurvey)
            return false;
        try
        {
            var planning = StrategyCall.Run(
                plan.Strategy, tensor.Info.Name, () => plan.Strategy.PlanTensor(Scan(tensor), tensor.Options!, null).AsTask());
            return planning is { IsCompletedSuccessfully: true, Result: CombinationMerge or CopyMerge or LowRankMerge };
        }
        catch (MergeException)
        {
            // It will be refused for its options, and not for what it would need.
            return true;
        }
    }

    // One reason, often the same for every module.
    private static void Throw(List<Diagnostic> found)
    {
        if (found.Count == 0)
            return;
        throw new MergeException(
        [
            .. found.GroupBy(d => d.Found).Select(g => g.Count() == 1 ? g.First() : g.First() with
            {
                Where = $"{g.First().Where} and {g.Count() - 1} more module{(g.Count() == 2 ? "" : "s")}",
            }),
        ])
        { WrongUsage = true };
    }

    private static void CheckSurveyed(MergePlan plan, AdapterOutput output)
    {
        TensorPlan[] modules = [.. plan.Tensors.Where(t => t.Info.Count > 0 && output.Modules.ContainsKey(t.Info.Name))];
        if (modules.Length == 0 || modules.All(t => output.ChoiceOf(output.Modules[t.Info.Name].Like.Name) is not null))
            return;
        var model = plan.Strategy.CreateModelScan([.. modules.Select(t => (Scan(t), t.Options!))]);
        var surveying = StrategyCall.Run(plan.Strategy, "survey", () => plan.Strategy.SurveyModel(model).AsTask());
        if (!surveying.IsCompleted && model.Pending.OfType<ModelLargestRequest>().Any())
            Throw([.. modules.Select(t => LinearPart.NoFewFactors(plan, t))]);
    }

    private static TensorScan Scan(TensorPlan tensor) => new(
        tensor.Info, tensor.Models.Length, tensor.Base is not null,
        (name, model) => tensor.Side(name, model) is not null, LinearAlgebraChoice.Managed, tensor.TaskVectorRank);

    private static void Check(MergePlan plan, AdapterOutput output, TensorPlan tensor, bool isOpen)
    {
        var scan = Scan(tensor);
        var planning = StrategyCall.Run(
            plan.Strategy, tensor.Info.Name, () => plan.Strategy.PlanTensor(scan, tensor.Options!, null).AsTask());
        if (planning.IsCompleted)
        {
            if (isOpen && !planning.IsCompletedSuccessfully)
                return;
            StrategyCall.Rethrow(plan.Strategy, tensor.Info.Name, planning);
            if (output.Modules.ContainsKey(tensor.Info.Name))
                _ = LinearPart.Of(plan, tensor, scan, planning.Result);
            else
                _ = SavedJob.Weights(plan, tensor, output.Saved[tensor.Info.Name], planning.Result);
        }
        else if (output.Modules.TryGetValue(tensor.Info.Name, out var module) && output.ChoiceOf(module.Like.Name) is null
            && scan.Pending.OfType<LargestRequest>().Any())
        {
            throw new MergeException(LinearPart.NoFewFactors(plan, tensor));
        }
    }
}

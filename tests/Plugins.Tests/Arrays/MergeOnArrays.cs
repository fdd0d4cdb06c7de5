using Merge.Sdk;

namespace Plugins.Tests.Arrays;

/// <summary>
/// Runs a strategy on whole arrays, one element after the other, straight from the contract: nothing is streamed,
/// fused, shared or vectorised. It shares no code with the host and so also checks it.
/// </summary>
internal sealed class MergeOnArrays : IMergeRunner
{
    public IReadOnlyDictionary<string, float[]> Merge(MergeStrategy strategy, object options, MergeInputs inputs)
    {
        var tensors = inputs.Models[0].OrderBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => new TensorOnArrays(t.Key, t.Value.Shape, inputs))
            .ToList();
        var survey = strategy.HasSurvey ? Survey(strategy, options, tensors) : null;
        return tensors.ToDictionary(t => t.Scan.Info.Name, t => t.Evaluate(Plan(strategy, options, survey, t)));
    }

    private static object? Survey(MergeStrategy strategy, object options, List<TensorOnArrays> tensors)
    {
        var model = strategy.CreateModelScan([.. tensors.Select(t => (t.Scan, options))]);
        return Drive(strategy.SurveyModel(model), () =>
        {
            var found = false;
            foreach (var tensor in tensors)
                found |= tensor.CompletePending();
            foreach (var request in Take(model.Pending))
            {
                OrderOnArrays.Complete((ModelLargestRequest)request, tensors);
                found = true;
            }
            return found;
        });
    }

    private static TensorMerge Plan(MergeStrategy strategy, object options, object? survey, TensorOnArrays tensor) =>
        Drive(strategy.PlanTensor(tensor.Scan, options, survey), tensor.CompletePending);

    private static T Drive<T>(ValueTask<T> author, Func<bool> completePending)
    {
        while (!author.IsCompleted)
        {
            if (!completePending())
                throw new InvalidOperationException("the strategy awaits something that is no statistic of this scan");
        }
        return author.GetAwaiter().GetResult();
    }

    internal static List<T> Take<T>(List<T> pending)
    {
        List<T> taken = [.. pending];
        pending.Clear();
        return taken;
    }
}

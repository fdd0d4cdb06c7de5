using Merge.Compute;
using Merge.Compute.Gpu;
using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>
/// What a merge will cost, as far as its method says before any byte is read: the statistics it declares first, and the
/// merge itself where it needs none. What it asks for after those is not known, so the numbers are lower bounds.
/// </summary>
/// <param name="Passes">Passes over the tensor that needs most, the one that writes included.</param>
/// <param name="BytesRead">Of all passes.</param>
/// <param name="Memory">Bytes the hungriest tensor is known to need, with all threads.</param>
/// <param name="MemoryTensor">Its name; null where blocks do.</param>
/// <param name="IsExact">Whether nothing can be added: no tensor waits for a statistic.</param>
internal sealed record PlanOutlook(int Passes, long BytesRead, long Memory, string? MemoryTensor, bool IsExact)
{
    /// <summary>What the processor would do on a run with another device, as far as is known.</summary>
    public IReadOnlyList<(string Why, int Tensors)> OnProcessor { get; private init; } = [];

    /// <summary>Bytes that a run may take: <c>--memory</c>, or what a decomposition needs where that was not given.</summary>
    public long MemoryLimit { get; private init; }

    /// <exception cref="MergeException">The method refuses a tensor's options, or fails.</exception>
    public static PlanOutlook Of(MergePlan plan, RunSettings settings)
    {
        var isSurveyed = Survey(plan, out var survey);
        var onProcessor = new ProcessorWork();
        var tensors = plan.Tensors.Where(t => t.Info.Count > 0)
            .Select(t => t.IsCopied ? new TensorOutlook(1, Stored(t), 0, true)
                : isSurveyed ? new(2, 2 * Stored(t), 0, false)
                : Ask(plan, t, survey, settings, onProcessor))
            .ToArray();
        var hungriest = plan.Tensors.Where(t => t.Info.Count > 0).Zip(tensors).MaxBy(t => t.Second.Memory);
        var decomposed = plan.Adapter is null ? null : AdapterRoom.Most(plan, settings);
        return new(
            tensors.Select(t => t.Passes).DefaultIfEmpty(0).Max(),
            tensors.Sum(t => t.BytesRead),
            Math.Max(hungriest.Second?.Memory ?? 0, decomposed?.Bytes ?? 0),
            decomposed is { } most && most.Bytes >= (hungriest.Second?.Memory ?? 0) ? most.Tensor
                : hungriest.Second is { Memory: > 0 } ? hungriest.First.Info.Name : null,
            tensors.All(t => t.IsExact))
        {
            OnProcessor = onProcessor.Reasons,
            MemoryLimit = LimitOf(plan, settings),
        };
    }

    private static long LimitOf(MergePlan plan, RunSettings settings)
    {
        try
        {
            var fit = MatrixRoom.Fit(plan, settings);
            return (plan.Adapter is null ? fit : AdapterRoom.Fit(plan, fit)).Memory;
        }
        catch (MergeException)
        {
            // A run would be refused, which the listing says beside what is needed.
            return settings.Memory;
        }
    }

    /// <summary>Whether the survey waits for statistics; what it found, where it needs none.</summary>
    private static bool Survey(MergePlan plan, out object? found)
    {
        found = null;
        var merged = plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0)
            .OrderBy(t => t.Info.Name, StringComparer.Ordinal).ToArray();
        if (!plan.Strategy.HasSurvey || merged.Length == 0)
            return false;
        var model = plan.Strategy.CreateModelScan([.. merged.Select(t => (Scan(t), t.Options!))]);
        var surveying = StrategyCall.Run(plan.Strategy, "survey", () => plan.Strategy.SurveyModel(model).AsTask());
        if (!surveying.IsCompleted)
            return true;
        StrategyCall.Rethrow(plan.Strategy, "survey", surveying);
        found = surveying.Result;
        return false;
    }

    private static TensorScan Scan(TensorPlan tensor) => new(
        tensor.Info, tensor.Models.Length, tensor.Base is not null,
        (name, model) => tensor.Side(name, model) is not null, LinearAlgebraChoice.Managed, tensor.TaskVectorRank);

    private static TensorOutlook Ask(MergePlan plan, TensorPlan tensor, object? survey, RunSettings settings, ProcessorWork onProcessor)
    {
        var scan = Scan(tensor);
        var planning = StrategyCall.Run(
            plan.Strategy, tensor.Info.Name, () => plan.Strategy.PlanTensor(scan, tensor.Options!, survey).AsTask());
        var all = Stored(tensor);
        if (!planning.IsCompleted)
        {
            if (tensor.Info.Count >= settings.SmallestOnDevice && !scan.Pending.All(DeviceLimits.Reduces))
                onProcessor.Note(tensor.Info.Name, DeviceLimits.Statistics);
            // A selection counts coarsely in the first sweep and finely in a second one.
            var sweeps = scan.Pending.Any(r => r is LargestRequest or OrderRequest) ? 2 : 1;
            var matrices = MatrixWork.Known(plan, tensor, survey, LinearAlgebraChoice.OfProcess);
            return new(sweeps + 1, (sweeps + 1) * all, matrices.Work, false);
        }
        StrategyCall.Rethrow(plan.Strategy, tensor.Info.Name, planning);
        var lowered = StrategyCall.Run(
            plan.Strategy, tensor.Info.Name, () => Lowered.From(planning.Result, tensor, scan));
        if (lowered.Copied is { } copied)
            return new(1, copied.StoredBytes, 0, true);
        var recording = Recording.Of(tensor.Info, [lowered.Value(scan)]);
        var unit = recording.Unit;
        if (tensor.Info.Count >= settings.SmallestOnDevice && DeviceLimits.Of(recording) is { } lack)
            onProcessor.Note(tensor.Info.Name, lack);
        var element = RunContext.ElementBytes(tensor, tensor.Inputs, tensor.OutType.Bits() / 8);
        return new(1, all, unit == 1 ? 0 : unit * element * settings.Threads, true);
    }

    private static long Stored(TensorPlan tensor) => tensor.Inputs.Sum(i => i.StoredBytes);

    private sealed record TensorOutlook(int Passes, long BytesRead, long Memory, bool IsExact);
}

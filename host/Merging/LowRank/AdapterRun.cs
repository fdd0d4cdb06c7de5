using System.Collections.Concurrent;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Runs a merge of adapters into a complete adapter folder, or nothing under that name.</summary>
internal static class AdapterRun
{
    /// <param name="plan">What to make: a plan of an adapter.</param>
    /// <param name="final">The folder.</param>
    /// <param name="force">Whether an earlier merge's folder of that name may be replaced.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks; nothing is kept, a merge of adapters takes seconds.</param>
    /// <returns>With every module, as planned.</returns>
    public static MergeSummary Run(
        MergePlan plan, string final, bool force, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        var output = plan.Adapter!;
        OutputTarget.Check(final, plan, force);
        settings = AdapterRoom.Fit(plan, settings);
        var (needed, isAll) = AdapterRoom.OnDisk(plan);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new MergeContext
        {
            Plan = plan,
            Method = AdapterRoom.Method(plan),
            Seed = plan.Seed,
            Settings = settings,
            Output = new Nowhere(),
            Checksums = new Checksums(),
            Algebra = AlgebraUse.OfRun(settings, cancellation),
            Progress = progress,
        };
        using var folder = AdapterFolder.Open(final, needed, isAll);
        var modules = new ConcurrentDictionary<string, StoredModule>();
        if (plan.Strategy.HasSurvey)
        {
            var survey = new Survey(t => t.Options!);
            new Scheduler(settings.Threads, stop).Run([new SurveyJob(context, plan, [survey])]);
            context.Survey = survey.Fault is null ? survey.Result : throw survey.Fault;
        }
        progress.Expect(plan.Tensors.Sum(t => t.Info.Count));
        new Scheduler(settings.Threads, stop, room: settings.Memory / 2).Run(plan.Tensors.Select(IJob (tensor) =>
            output.Modules.ContainsKey(tensor.Info.Name)
                ? new AdapterJob(context, tensor, output, made => modules[tensor.Info.Name] = Store(tensor, made))
                : new SavedJob(context, tensor, output.Saved[tensor.Info.Name], output.IsExtracted, folder.Factors, at =>
                    modules[tensor.Info.Name] = new(null, 0, 0, at, -1))));
        folder.Write(plan, modules, context, stop);
        if (InputsUnchanged.Problems(plan) is { Count: > 0 } changed)
            throw new MergeException(changed);
        folder.Complete(final, plan, force);
        if (StoredModule.Rounded(modules.Values, output.OutType) is { } finding)
            context.Findings.Enqueue(finding);
        ModuleReport[] reports =
        [
            .. plan.Tensors.Select(t => modules[t.Info.Name]).Where(m => m.Tensors is not null || m.Left < 0)
                .Select(m => new ModuleReport(m.Tensors?.Name ?? m.Name!, m.Rank, m.RelativeError)),
        ];
        return new MergeSummary(final, [.. context.Findings]) { Modules = reports, LinearAlgebra = context.Algebra.Name };

        StoredModule Store(TensorPlan tensor, MergedModule made)
        {
            var like = output.Modules[tensor.Info.Name].Like;
            if (made.Rank == 0)
                return new(null, 0, made.RelativeError, -1, -1) { Name = like.Name };
            var tensors = new AdapterTensors(like.Name, like, made.Rank);
            if (made.Concatenated is { } side)
                return new(tensors, made.Rank, 0, -1, -1) { Concatenated = side };
            var isFinite = FactorValues.AreFinite(made.Left) && FactorValues.AreFinite(made.Right);
            var rounding = isFinite && FactorRounding.IsCoarse(output.OutType)
                ? FactorRounding.Round(made.Left, made.Right, made.Rank, output.OutType) : 0;
            if (!isFinite || !double.IsFinite(rounding))
                throw StoredModule.Beyond(output.OutType, like.Name);
            var (a, b) = tensors.Values(made.Left, made.Right);
            // What was thrown away and what rounding takes of the rest are orthogonal, but for what rounding does by chance.
            var error = Math.Sqrt((made.RelativeError * made.RelativeError)
                + (rounding * rounding * (1 - (made.RelativeError * made.RelativeError))));
            return new(tensors, made.Rank, error, folder.Factors.Append(a), folder.Factors.Append(b)) { Rounding = rounding };
        }
    }

    private sealed class Nowhere : ITensorSink
    {
        public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void Finish(TensorPlan tensor, uint checksum) => throw new NotSupportedException();
    }
}


using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>What a finished merge has to tell.</summary>
internal sealed record MergeSummary(string Output, IReadOnlyList<Diagnostic> Findings)
{
    /// <summary>Of an adapter what became of each module.</summary>
    public IReadOnlyList<LowRank.ModuleReport> Modules { get; init; } = [];

    /// <summary>What the processor did although another device was asked for.</summary>
    public IReadOnlyList<(string Why, int Tensors)> OnProcessor { get; init; } = [];

    /// <summary>Whose linear algebra was used, if any.</summary>
    public string? LinearAlgebra { get; init; }
}

/// <summary>The main job: a plan in, a complete model folder out, or nothing under that name.</summary>
internal static class MergeToFolder
{
    public const string RecipeFileName = "merge_recipe.yaml";

    /// <param name="plan">What to merge.</param>
    /// <param name="final">The folder to make.</param>
    /// <param name="force">Whether an earlier merge's folder of that name may be replaced.</param>
    /// <param name="sha256">Whether the manifest gives SHA-256 of the inputs.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks; what is finished is kept for the next run.</param>
    public static MergeSummary Run(
        MergePlan plan,
        string final,
        bool force,
        bool sha256,
        RunSettings settings,
        RunProgress progress,
        CancellationToken cancellation)
    {
        try
        {
            return Merge(plan, final, force, sha256, settings, progress, cancellation);
        }
        catch (MergeException fault) when (fault.IsOfUnnamedPlugin)
        {
            throw StrategyCall.Named(plan, fault);
        }
    }

    private static MergeSummary Merge(
        MergePlan plan,
        string final,
        bool force,
        bool sha256,
        RunSettings settings,
        RunProgress progress,
        CancellationToken cancellation)
    {
        if (plan.Adapter is not null)
            return LowRank.AdapterRun.Run(plan, final, force, settings, progress, cancellation);
        OutputTarget.Check(final, plan, force);
        var checksums = new Checksums();
        var algebra = AlgebraUse.OfRun(settings, cancellation);
        using var folder = PartialFolder.Open(final, plan, checksums, algebra, force);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new MergeContext
        {
            Plan = plan,
            Method = plan.Strategy.Info.Id,
            Seed = plan.Seed,
            Settings = settings,
            Output = folder,
            Checksums = checksums,
            Algebra = algebra,
            Progress = progress,
        };
        progress.TensorsResumed = folder.Finished.Count;
        var isMerged = false;
        try
        {
            MergeRun.Execute(context, folder.Finished, stop);
            isMerged = true;
            if (InputsUnchanged.Problems(plan) is { Count: > 0 } changed)
            {
                folder.Abandon();
                throw new MergeException(changed);
            }
            WriteSideFiles(plan, folder, context, final, sha256);
            if (folder.Complete(final, force) is { } replaced)
            {
                context.Findings.Enqueue(new Diagnostic("the folder that was replaced could not be removed")
                {
                    Severity = Severity.Warning,
                    Where = replaced,
                    Fix = "Remove it yourself.",
                });
            }
        }
        // What is merged is kept whatever stops its last steps: an output that stands in the way, a full disk.
        catch (Exception fault) when (
            !isMerged && (IsHopeless(fault) || folder.Finished.Count + progress.TensorsDone == 0))
        {
            folder.Abandon();
            if (FileProblem.Is(fault))
                throw FileProblem.Writing(folder.Path, plan.Layout.Size, fault);
            throw;
        }
        catch (Exception fault)
        {
            progress.KeptIn = Directory.Exists(folder.Path) ? folder.Path : null;
            if (FileProblem.Is(fault))
                throw FileProblem.Writing(folder.Path, plan.Layout.Size, fault);
            throw;
        }
        return new MergeSummary(final, [.. context.Findings])
        {
            OnProcessor = context.Compiler.OnProcessor,
            LinearAlgebra = algebra.Name,
        };
    }

    /// <summary>Whether the next run would fail alike: nothing the user can free or repair beside it.</summary>
    private static bool IsHopeless(Exception fault) =>
        fault is InputFault || (fault is MergeException stop && (stop.WrongUsage || stop.Diagnostics.Any(d => d.Actor == Actor.PluginAuthor)));

    /// <summary>A folder that looks like the finished merge, with no values: its files hold headers, and then nothing
    /// that takes room.</summary>
    public static void Sketch(MergePlan plan, string folder)
    {
        if (plan.Adapter is not null)
        {
            LowRank.AdapterSketch.Write(plan, folder);
            return;
        }
        OutputWriter.Create(folder, plan.Layout).Dispose();
        WriteModelFiles(plan, folder);
    }

    /// <summary>Writes what goes beside the weights: config, tokenizer, chat template.</summary>
    public static void WriteModelFiles(MergePlan plan, string folder)
    {
        if (plan.Donor.Folder is { } donor)
            CopiedFiles.Copy(donor, folder);
        if (plan.Config is { } config)
            File.WriteAllText(Path.Combine(folder, "config.json"), config);
        if (plan.OutType is { } dtype)
            ConfigDType.Set(Path.Combine(folder, "config.json"), dtype);
        CompanionWriter.Write(plan.Companions, plan.Donor.Folder, folder);
    }

    private static void WriteSideFiles(MergePlan plan, PartialFolder folder, MergeContext context, string final, bool sha256)
    {
        WriteModelFiles(plan, folder.Path);
        File.WriteAllText(Path.Combine(folder.Path, ModelCard.FileName), ModelCard.Of(plan, Path.GetFileName(final)));
        File.WriteAllText(Path.Combine(folder.Path, RecipeFileName), plan.Origin.Text);
        Manifest.Write(
            Path.Combine(folder.Path, Manifest.FileName),
            plan,
            [.. plan.InputFiles.Select(f => context.Checksums.Of(f.File))],
            folder.FileChecksums(),
            context.Algebra.Name,
            sha256);
    }
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Merges many candidates of one plan in one pass: every block of the checkpoints is read and decoded once, and all
/// candidates' outputs leave. The bytes are those of a merge of each candidate alone. Checkpoints that fit the memory
/// budget beside the working memory of a merge stay in memory from generation to generation.
/// </summary>
internal sealed class GenerationMerge : IDisposable
{
    // Below this many bytes to read and write, one more thread takes longer to start than to work.
    private const long BytesOfThread = 1 << 20;

    private readonly MergePlan _stored;
    private readonly RunSettings _settings;
    private readonly ICompiler _compiler;
    private ResidentInputs? _inputs;
    private MergePlan _plan;

    /// <param name="plan">The models and tensors; its own options are not used.</param>
    /// <param name="settings">Threads and memory.</param>
    public GenerationMerge(MergePlan plan, RunSettings settings)
    {
        (_stored, _settings, _plan) = (plan, settings, plan);
        _compiler = settings.NewCompiler();
        ResidentBytes = Resident(plan, settings);
    }

    /// <summary>Checksums of the inputs, taken when they were first read.</summary>
    public Checksums Checksums { get; } = new();

    /// <summary>Counts over all generations.</summary>
    public RunProgress Progress { get; } = new();

    /// <summary>Bytes of checkpoints that stay in memory; 0 where they are read from their files each time.</summary>
    public long ResidentBytes { get; }

    /// <summary>Merges a generation. What stops one candidate leaves the others alone.</summary>
    /// <param name="members">The candidates.</param>
    /// <param name="cancellation">Stops between two blocks.</param>
    /// <returns>What became of each, in their order.</returns>
    /// <exception cref="MergeException">
    /// No candidate can be merged: inputs cannot be read or were written to, or memory does not suffice for one.
    /// </exception>
    public IReadOnlyList<MergedMember> Run(IReadOnlyList<GenerationMember> members, CancellationToken cancellation)
    {
        CheckInputs();
        if (_stored.Adapter is not null)
            return LowRank.AdapterGeneration.Run(_stored, members, _settings, Progress, cancellation);
        if (ResidentBytes > 0 && _inputs is null)
        {
            _inputs = ResidentInputs.Load(_stored, Checksums, Progress, _settings.Threads, cancellation);
            _plan = _inputs.Over(_stored);
            if (_settings.Device is { } device)
                _inputs.Mirror(device);
        }
        GenerationCandidate[] candidates = [.. members.Select(m => new GenerationCandidate(m))];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new GenerationContext
        {
            Plan = _plan,
            Method = _stored.Strategy.Info.Id,
            Seed = _stored.Seed,
            Settings = _settings with { Memory = _settings.Memory - ResidentBytes, Threads = Threads(members.Count) },
            Candidates = candidates,
            Checksums = Checksums,
            Algebra = AlgebraUse.OfRun(_settings, cancellation),
            Compiler = _compiler,
            Progress = Progress,
        };
        if (_stored.Strategy.HasSurvey && _stored.Tensors.Any(t => !t.IsCopied && t.Info.Count > 0))
            Survey(context, stop);
        new Scheduler(context.Settings.Threads, stop, context.Settings.Memory / 2, context.Settings.Device).Run(
            _plan.Tensors.Index().Select(t => new GenerationJob(context, t.Item, t.Index)));
        CheckInputs();
        return [.. candidates.Select(c => c.Result())];
    }

    public void Dispose() => _inputs?.Dispose();

    private static long Resident(MergePlan plan, RunSettings settings)
    {
        var bytes = ResidentInputs.BytesOf(plan);
        var working = Math.Max(settings.Memory / 4, Math.Min(settings.Memory / 2, RunSettings.DefaultMemory));
        return plan.Adapter is null && settings.KeepInputs && bytes <= settings.Memory - working ? bytes : 0;
    }

    private static void Survey(GenerationContext context, CancellationTokenSource stop)
    {
        foreach (var candidate in context.Candidates)
            candidate.Survey = new(candidate.Member.Options);
        new Scheduler(context.Settings.Threads, stop, memory: context.Settings.Device).Run(
            [new SurveyJob(context, context.Plan, [.. context.Candidates.Select(c => c.Survey!)])]);
        foreach (var candidate in context.Candidates)
        {
            if (candidate.Survey!.Fault is { } fault)
                candidate.Fail(-1, fault);
        }
    }

    private int Threads(int members)
    {
        var bytes = _stored.InputBytes + (members * _stored.Tensors.Sum(t => t.Info.Count * t.OutType.Bits() / 8));
        return (int)Math.Clamp(bytes / BytesOfThread, 1, _settings.Threads);
    }

    private void CheckInputs()
    {
        if (InputsUnchanged.Problems(_stored) is { Count: > 0 } changed)
            throw new MergeException(changed);
    }
}

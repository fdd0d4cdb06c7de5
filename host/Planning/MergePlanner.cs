using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What a plan is made from: everything is open and resolved, nothing is read but headers.</summary>
internal sealed record PlanRequest
{
    public required MergeStrategy Strategy { get; init; }

    public required PluginIdentity Plugin { get; init; }

    public required PlanOrigin Origin { get; init; }

    /// <summary>The method's models, in order.</summary>
    public required IReadOnlyList<PlannedModel> Models { get; init; }

    /// <summary>The base, where the method uses one and the recipe names it.</summary>
    public required PlannedModel? Base { get; init; }

    /// <summary>The model that lends config, tokenizer, order and dtypes: the base that is named, else the first.</summary>
    public required PlannedModel Donor { get; init; }

    public required IReadOnlyList<SideFile> SideFiles { get; init; }

    /// <summary>The strategy's options for a tensor.</summary>
    public required Func<TensorInfo, object> Options { get; init; }

    /// <summary>What the output is written as; null: each tensor as the donor stores it.</summary>
    public required DType? OutType { get; init; }

    public required ulong Seed { get; init; }

    public long MaxShardBytes { get; init; } = DefaultMaxShardBytes;

    /// <summary>Hugging Face's own default.</summary>
    public const long DefaultMaxShardBytes = 5_000_000_000;
}

/// <summary>Headers to plan: every output tensor, what it is made of, where it goes.</summary>
internal static class MergePlanner
{
    /// <exception cref="MergeException">The models do not fit together; every reason at once.</exception>
    public static MergePlan Plan(PlanRequest request)
    {
        var problems = new List<Diagnostic>();
        var (models, donor) = (request.Models, request.Donor);
        PlannedModel[] all = request.Base is null ? [.. models] : [.. models, request.Base];
        foreach (var model in all.Append(donor).Distinct())
            problems.AddRange(Quantisation.Refuse(model.Checkpoint));

        var tensors = new List<TensorPlan>();
        foreach (var match in TensorMatching.Match(all, donor, problems))
        {
            var first = match.Stored[0];
            var info = TensorNaming.Describe(match.Name, first.Shape);
            var stored = donor.Find(match.Name) ?? first;
            var copied = !first.DType.IsMergeable();
            tensors.Add(new TensorPlan
            {
                Info = info,
                OutType = copied ? stored.DType : request.OutType ?? stored.DType,
                Options = copied ? null : request.Options(info),
                Models = copied ? [stored] : [.. match.Stored.Take(models.Count)],
                Base = copied || request.Base is null ? null : match.Stored[^1],
                Sides = copied ? [] : SideInputs.Find(info, request.SideFiles, problems),
            });
        }
        SideInputs.CheckUsed(request.SideFiles, tensors, problems);
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new MergeException(problems);
        if (tensors.Count == 0)
            throw new MergeException(new Diagnostic("the models hold no tensors") { Where = donor.Checkpoint.Path });

        return new MergePlan
        {
            Strategy = request.Strategy,
            Plugin = request.Plugin,
            Origin = request.Origin,
            Models = [.. models.Select(m => m.Checkpoint)],
            Base = request.Base?.Checkpoint,
            Donor = donor.Checkpoint,
            Tensors = tensors,
            Layout = SafetensorsLayout.Of(
                tensors.Select(t => new OutputTensor(t.Info.Name, t.OutType, t.Info.Shape)),
                request.MaxShardBytes,
                new Dictionary<string, string> { ["format"] = "pt" }),
            OutType = request.OutType,
            Seed = request.Seed,
            Warnings = problems,
            Opened = [.. all.Append(donor).Select(m => m.Checkpoint).Concat(request.SideFiles.Select(s => s.Checkpoint)).Distinct()],
            InputFiles = FilesRead(
                tensors, [.. all.Append(donor).Select(m => (m.Text, m.Checkpoint)), .. request.SideFiles.Select(s => (s.Text, s.Checkpoint))]),
        };
    }

    private static (string Model, CheckpointFile File)[] FilesRead(
        List<TensorPlan> tensors, IReadOnlyList<(string Text, Checkpoint Checkpoint)> opened)
    {
        var read = tensors.SelectMany(t => t.Inputs).Select(i => i.File).ToHashSet();
        return
        [
            .. opened.SelectMany(o => o.Checkpoint.Files.Select(f => (o.Text, f)))
                .Where(f => read.Contains(f.f))
                .DistinctBy(f => f.f),
        ];
    }
}

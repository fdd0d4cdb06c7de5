using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What a plan is made from: everything is open and resolved, nothing is read but headers.</summary>
internal sealed record PlanRequest
{
    public required MergeStrategy Strategy { get; init; }

    public required PluginIdentity Plugin { get; init; }

    public required PlanOrigin Origin { get; init; }

    /// <summary>For messages.</summary>
    public string RecipePath { get; init; } = "";

    /// <summary>
    /// What each part of the output is made of. Null: everything of <see cref="Models"/>, whole, by
    /// <see cref="Options"/>.
    /// </summary>
    public IReadOnlyList<PlannedModule>? Modules { get; init; }

    /// <summary>The method's models, in order; where there are modules, each once.</summary>
    public required IReadOnlyList<PlannedModel> Models { get; init; }

    /// <summary>The base, where the method uses one and the recipe names it.</summary>
    public required PlannedModel? Base { get; init; }

    /// <summary>The model that lends config, tokenizer, order and dtypes: the base that is named, else the first.</summary>
    public required PlannedModel Donor { get; init; }

    public IReadOnlyList<SideFile> SideFiles { get; init; } = [];

    /// <summary>The strategy's options for a tensor; not used where there are modules.</summary>
    public Func<TensorPlace, object> Options { get; init; } = _ => throw new InvalidOperationException("no options");

    /// <summary>What the output is written as; null: each tensor as the donor stores it.</summary>
    public required DType? OutType { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>The output's vocabulary, where the recipe asks for one.</summary>
    public VocabularyMapping? Vocabulary { get; init; }

    /// <summary>What to do where a tensor's shape differs.</summary>
    public OnMismatch OnMismatch { get; init; }

    /// <summary>What the recipe says of the files beside the weights.</summary>
    public CompanionFiles Companions { get; init; } = new();

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
        var modules = request.Modules ?? [Whole(request)];
        var donor = request.Donor;
        PlannedModel[] all =
        [
            .. modules.SelectMany(m => m.Slices).SelectMany(s => s.Inputs).Select(i => i.Model).Distinct(),
        ];
        foreach (var model in all.Append(donor).Distinct())
            problems.AddRange(Quantisation.Refuse(model.Checkpoint));

        var parts = ModelParts.Of([.. all.Append(donor).Distinct()], modules, request.RecipePath, problems);
        var heads = TiedHeads.Of(all, donor, problems);
        var planned = modules.Select(m => new SlicePlanner(request, m, parts, heads, problems).Plan()).ToArray();
        List<TensorPlan> tensors = [.. planned.SelectMany(p => p.Tensors)];
        if (modules.All(m => m.Name is not null) && problems.All(p => p.Severity != Severity.Error))
            tensors.AddRange(Left(request, parts, heads, problems));
        var config = VocabularyConfig.Of(
            donor, NewConfig.Of(donor, [.. planned.Select(p => p.Stack).OfType<NewStack>()], problems), tensors,
            heads.ConfigFlag ?? (donor.Checkpoint.HasOwnConfig ? donor.TiesHead : null));
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new MergeException(problems);
        if (tensors.Count == 0)
            throw new MergeException(new Diagnostic("the models hold no tensors") { Where = donor.Checkpoint.Path });

        return new MergePlan
        {
            Strategy = request.Strategy,
            Plugin = request.Plugin,
            Origin = request.Origin,
            Models = [.. request.Models.Select(m => m.Checkpoint)],
            Base = request.Base?.Checkpoint,
            Donor = donor.Checkpoint,
            Config = config,
            Tensors = tensors,
            Layout = SafetensorsLayout.Of(
                tensors.Select(t => new OutputTensor(t.Info.Name, t.OutType, t.Info.Shape)),
                request.MaxShardBytes,
                new Dictionary<string, string> { ["format"] = "pt" }),
            OutType = request.OutType,
            Seed = request.Seed,
            Warnings = problems,
            Opened = [.. all.Append(donor).Select(m => m.Checkpoint).Concat(request.SideFiles.Select(s => s.Checkpoint)).Distinct()],
            Companions = request.Companions with { Tokenizer = request.Vocabulary?.Plan.Edit },
            Distinctions = [$"on mismatch {request.OnMismatch}", .. request.Vocabulary?.Plan.Distinctions ?? []],
            InputFiles = FilesRead(
                tensors,
                [
                    .. all.Append(donor).Select(m => (m.Text, m.Checkpoint)),
                    .. modules.SelectMany(m => m.Slices).SelectMany(s => s.SideFiles).Select(s => (s.Text, s.Checkpoint)),
                ]),
        };
    }

    private static (string Model, CheckpointFile File)[] FilesRead(
        List<TensorPlan> tensors, IReadOnlyList<(string Text, Checkpoint Checkpoint)> opened)
    {
        var read = tensors.SelectMany(t => t.Inputs).SelectMany(i => i.Files).ToHashSet();
        return
        [
            .. opened.SelectMany(o => o.Checkpoint.Files.Select(f => (o.Text, f)))
                .Where(f => read.Contains(f.f))
                .DistinctBy(f => f.f),
        ];
    }

    private static PlannedModule Whole(PlanRequest request) => new(null, 0,
    [
        new PlannedSlice
        {
            Sources = [.. request.Models.Select(m => new PlannedSource(m, null))],
            Base = request.Base is null ? null : new(request.Base, null),
            SideFiles = request.SideFiles,
            Options = request.Options,
        },
    ]);

    /// <summary>What the recipe's modules leave: without it the model would not load.</summary>
    private static TensorPlan[] Left(PlanRequest request, ModelParts parts, TiedHeads heads, List<Diagnostic> problems)
    {
        var donor = request.Donor;
        TensorPlan[] left =
        [
            .. ModelView.Whole(donor, parts.IsLeft) is var view
                ? view.Names.Where(n => !heads.LeavesOut(n)).Select(n => new MatchedTensor(n, [heads.Find(view, n)!]))
                    .Select(t => request.Vocabulary?.Apply(t, [donor], heads, problems) ?? t)
                    .Select(t => TensorPlan.Copy(TensorNaming.Describe(t.Name, t.Stored[0].Shape), t.Stored[0]))
                : [],
        ];
        if (left.Length > 0)
        {
            problems.Add(new Diagnostic(
                $"{left.Length} tensor{(left.Length == 1 ? " is" : "s are")} of no module that the recipe names, and copied from "
                + $"'{donor.Text}': {string.Join(", ", left.Take(3).Select(t => t.Info.Name))}{(left.Length > 3 ? ", …" : "")}")
            {
                Severity = Severity.Warning,
                Where = donor.Checkpoint.Path,
                Fix = $"The model has {string.Join(", ", ModelParts.Found([donor]))}.",
            });
        }
        return left;
    }
}

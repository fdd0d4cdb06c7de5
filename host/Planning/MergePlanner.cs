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
        var (models, donor) = (request.Models, request.Donor);
        PlannedModel[] all = request.Base is null ? [.. models] : [.. models, request.Base];
        foreach (var model in all.Append(donor).Distinct())
            problems.AddRange(Quantisation.Refuse(model.Checkpoint));

        var tensors = new List<TensorPlan>();
        var heads = TiedHeads.Of(all, donor, problems);
        long? cropped = null;
        foreach (var match in TensorMatching.Match(all, donor, heads, problems))
        {
            var mapped = request.Vocabulary?.Apply(match, all, heads, problems) ?? match;
            var fitting = MismatchPolicy.Crop(mapped, request.OnMismatch, problems);
            if (fitting != mapped)
                cropped = fitting.Stored[0].Shape[0];
            if (PlanTensor(fitting, all, request, problems) is { } tensor)
                tensors.Add(tensor);
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
            Companions = request.Companions with
            {
                Tokenizer = request.Vocabulary?.Plan.Edit,
                VocabularySize = request.Vocabulary?.Plan.Rows ?? cropped,
                TiesHead = heads.ConfigFlag,
            },
            Distinctions =
            [
                .. request.OnMismatch == OnMismatch.Error ? Array.Empty<string>() : [$"mismatch {request.OnMismatch}"],
                .. request.Vocabulary?.Plan.Distinctions ?? [],
            ],
            InputFiles =
            [
                .. all.Append(donor).Select(m => (m.Text, m.Checkpoint))
                    .Concat(request.SideFiles.Select(s => (s.Text, s.Checkpoint)))
                    .SelectMany(m => m.Checkpoint.Files.Select(f => (m.Text, f)))
                    .DistinctBy(f => f.f),
            ],
        };
    }

    /// <summary>One matched tensor, or null with a problem.</summary>
    private static TensorPlan? PlanTensor(
        MatchedTensor match, PlannedModel[] all, PlanRequest request, List<Diagnostic> problems)
    {
        var hasBase = request.Base is not null;
        var kept = MismatchPolicy.Keep(match, all, hasBase, request.OnMismatch, problems);
        var left = request.Models.Count - kept.Length;
        if (left > 0)
        {
            all = [.. kept.Select(i => all[i]), .. hasBase ? all[^1..] : []];
            match = match with { Stored = [.. kept.Select(i => match.Stored[i]), .. hasBase ? [match.Stored[^1]] : Array.Empty<TensorSource>()] };
        }
        if (!TensorMatching.CheckAlike(match, all, problems))
            return null;
        var first = match.Stored[0];
        var info = TensorNaming.Describe(match.Name, first.Shape);
        var donated = request.Donor.Find(match.Name) ?? first;
        if (!first.DType.IsMergeable())
            return Copied(donated, donated.DType);
        var outType = request.OutType ?? donated.DType;
        // Too few models for the method: what is left of the tensor is the base's.
        if (left > 0 && hasBase && kept.Length < request.Strategy.Info.MinModels)
            return Copied(match.Stored[^1], outType);
        var options = request.Options(info);
        var sides = SideInputs.Find(info, request.SideFiles, problems);
        return new TensorPlan
        {
            Info = info,
            OutType = outType,
            Options = left == 0 ? options : FewerModels.Options(options, kept),
            Models = [.. match.Stored.Take(kept.Length)],
            Base = hasBase ? match.Stored[^1] : null,
            Sides = left == 0 ? sides : [.. sides.Where(s => kept.Contains(s.Model)).Select(s => s with { Model = Array.IndexOf(kept, s.Model) })],
        };

        TensorPlan Copied(TensorSource from, DType type) => new()
        {
            Info = info,
            OutType = type,
            Options = null,
            Models = [from],
            Base = null,
            Sides = [],
        };
    }
}

using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>Plans the tensors of one module, slice by slice.</summary>
/// <param name="request">The merge.</param>
/// <param name="module">The part of it.</param>
/// <param name="parts">Which tensors are the module's.</param>
/// <param name="heads">Which models have an output head of their own.</param>
/// <param name="problems">Where errors and warnings go.</param>
internal sealed class SlicePlanner(
    PlanRequest request, PlannedModule module, ModelParts parts, TiedHeads heads, List<Diagnostic> problems)
{
    /// <summary>The tensors in order, and the layers they are made of; no layers where whole models are merged.</summary>
    public (IReadOnlyList<TensorPlan> Tensors, NewStack? Stack) Plan()
    {
        if (module.Slices is [{ IsWhole: true } whole])
        {
            ModelView[] views = [.. whole.Inputs.Select(i => ModelView.Whole(i.Model, Owns))];
            return (Tensors(whole, views, ModelView.Whole(request.Donor, Owns), LayersByRank(views)), null);
        }
        var before = problems.Count;
        var stacks = module.Slices.SelectMany(s => s.Inputs.Select(i => (i.Model, s.Line))).DistinctBy(m => m.Model)
            .ToDictionary(m => m.Model, m => LayerStack.Only(m.Model, Owns, Line(m.Line), problems));
        foreach (var slice in module.Slices)
        {
            foreach (var input in slice.Inputs.Distinct())
                stacks[input.Model]?.Has(input.Layers!.Value, input.Model, Line(slice.Line), problems);
        }
        if (problems.Skip(before).Any(p => p.Severity == Severity.Error))
            return ([], null);
        var stack = new NewStack(module.Name, stacks[module.Slices[0].Sources[0].Model]!.Prefix, []);
        var tensors = new List<TensorPlan>();
        foreach (var (index, slice) in module.Slices.Index())
        {
            var first = stack.Layers.Count;
            ModelView[] views =
            [
                .. slice.Inputs.Select(i => ModelView.Of(
                    i, Owns, stack.Prefix, first, index == 0, index == module.Slices.Count - 1)),
            ];
            var length = slice.Sources[0].Layers!.Value.Count;
            for (var i = 0; i < length; i++)
                stack.Layers.Add((slice.Sources[0].Model, slice.Sources[0].Layers!.Value.Start + i));
            var leader = views.FirstOrDefault(v => v.Model == request.Donor) ?? views[0];
            // As mergekit has it: the only layer of a slice is at the end of a gradient.
            tensors.AddRange(Tensors(slice, views, slice.Base is null ? leader : views[^1], name =>
                TensorNaming.LayerOf(name) is { } layer ? length == 1 ? 1 : (double)(layer - first) / (length - 1) : 0));
        }
        return (tensors, stack);
    }

    private bool Owns(string tensor) => parts.Owns(module.Name, tensor);

    private string? LineOf(PlannedSlice slice) => request.RecipePath.Length == 0 ? null : Line(slice.Line);

    private string Line(int line) => $"{request.RecipePath}, line {line}";

    /// <summary>t of whole models: in each stack of its own, by the place of the layer among its layers.</summary>
    private static Func<string, double> LayersByRank(ModelView[] views)
    {
        var stacks = LayerStack.Of(views.SelectMany(v => v.Names).Distinct())
            .ToDictionary(s => s.Prefix, s => s.Layers.Index().ToDictionary(l => l.Item, l => l.Index));
        return name => TensorNaming.Split(name) is not { } layer ? 0
            : stacks[layer.Stack].Count == 1 ? 1
            : (double)stacks[layer.Stack][layer.Layer] / (stacks[layer.Stack].Count - 1);
    }

    private List<TensorPlan> Tensors(
        PlannedSlice slice, IReadOnlyList<ModelView> views, ModelView leader, Func<string, double> t)
    {
        var tensors = new List<TensorPlan>();
        PlannedModel[] models = [.. views.Select(v => v.Model)];
        foreach (var match in TensorMatching.Match(views, leader, heads, problems))
        {
            var mapped = request.Vocabulary?.Apply(match, models, heads, problems) ?? match;
            var fitting = MismatchPolicy.Crop(mapped, request.OnMismatch, problems);
            if (Tensor(slice, fitting, models, leader.Find(match.Name), t(match.Name)) is not { } tensor)
                continue;
            // A donor that takes no part lends its config and its integers, so its tensors must be like the others, too.
            if (ReferenceEquals(fitting, match) && !models.Contains(leader.Model) && leader.Find(match.Name) is { } lent
                && !TensorMatching.CheckAlike(new(match.Name, [.. match.Stored, lent]), [.. models, leader.Model], LineOf(slice), problems))
            {
                continue;
            }
            tensors.Add(tensor);
        }
        SideInputs.CheckUsed(slice.SideFiles, tensors, problems);
        return tensors;
    }

    /// <summary>One tensor, or null with a problem.</summary>
    private TensorPlan? Tensor(
        PlannedSlice slice, MatchedTensor match, PlannedModel[] models, TensorSource? leading, double t)
    {
        var all = match.Stored;
        if (MismatchPolicy.LeavesOut(match, request.OnMismatch))
            return null;
        var kept = MismatchPolicy.Keep(match, models, slice.Base is not null, request.OnMismatch, problems);
        var isWhole = kept.Length == slice.Sources.Count;
        int[] present = slice.Base is null ? kept : [.. kept, all.Count - 1];
        match = match with { Stored = [.. present.Select(i => all[i])] };
        if (!TensorMatching.CheckAlike(match, [.. present.Select(i => models[i])], LineOf(slice), problems))
            return null;
        var first = match.Stored[0];
        var info = TensorNaming.Describe(match.Name, first.Shape);
        if (!first.DType.IsMergeable())
            return TensorPlan.Copy(info, leading ?? first);
        var outType = request.OutType ?? leading?.OutputType ?? first.OutputType;
        // Too few models for the method: what is left of the tensor is the base's.
        if (!isWhole && slice.Base is not null && kept.Length < request.Strategy.Info.MinModels)
            return TensorPlan.Copy(info, match.Stored[^1], outType);
        var place = new TensorPlace(info, [.. all.Take(slice.Sources.Count).Select(m => m.Name)], t);
        var sides = SideInputs.Find(place, slice.SideFiles, problems);
        return new TensorPlan
        {
            Info = info,
            OutType = outType,
            Options = isWhole ? slice.Options(place) : FewerModels.Options(slice.Options(place), kept),
            Values = slice.Values(place),
            Models = [.. match.Stored.Take(kept.Length)],
            Base = slice.Base is null ? null : match.Stored[^1],
            Sides = isWhole ? sides : FewerModels.Sides(sides, kept),
            T = t,
        };
    }
}

/// <summary>The layers of the output, where they are not one model's.</summary>
/// <param name="Module">The module's name, or null.</param>
/// <param name="Prefix">What their names begin with.</param>
/// <param name="Layers">For each the model and layer that its slice names first.</param>
internal sealed record NewStack(string? Module, string Prefix, List<(PlannedModel Model, int Layer)> Layers);

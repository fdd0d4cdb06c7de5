using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>An optimizer's state in what was saved: tensors such as <c>exp_avg_sq</c>, one a parameter.</summary>
internal static class OptimizerState
{
    private const int DeepestWrapper = 3;

    /// <summary>Statistics of activations, kept among the weights and trained by no optimizer.</summary>
    private static readonly string[] Buffers = [".running_mean", ".running_var", ".num_batches_tracked", ".inv_freq"];

    /// <summary>Whether a dict is what an optimizer's <c>state_dict()</c> gives.</summary>
    public static bool Is(PickleDict dict) => dict.Find("state") is PickleDict && dict.Find("param_groups") is List<object?>;

    /// <summary>Whether there is any.</summary>
    public static bool IsIn(object? root) => All(root, 0, Seen()).Any();

    /// <summary>The state's tensors as <c>parameter.exp_avg_sq</c> and the like.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="root">What was saved.</param>
    /// <param name="weights">The weights of the same file, in the model's order: where parameters are numbers, they name them.</param>
    /// <param name="problem">Why there are none although there is a state; null as a rule.</param>
    public static IReadOnlyList<(string Name, PickleTensor Tensor)> Find(
        string path, object? root, IReadOnlyList<(string Name, PickleTensor Tensor)> weights, out Diagnostic? problem)
    {
        problem = null;
        PickleDict[] optimizers = [.. All(root, 0, Seen()).Where(o => ((PickleDict)o.Find("state")!).Items.Count > 0)];
        if (optimizers.Length == 0)
            return [];
        if (optimizers.Length > 1)
        {
            problem = Unnamed(path, $"the file holds the states of {optimizers.Length} optimizers", "one", "Save the one you mean alone.");
            return [];
        }
        var state = (PickleDict)optimizers[0].Find("state")!;
        var isByName = state.Items.All(i => i.Key is string);
        var names = isByName ? null : Names(path, optimizers[0], state, weights, out problem);
        if (problem is not null)
            return [];
        return
        [
            .. from item in state.Items
               let parameter = item.Key as string ?? names!.GetValueOrDefault(item.Key as long? ?? -1)
               where parameter is not null && item.Value is PickleDict
               from field in ((PickleDict)item.Value!).Items
               where field.Key is string and not "step" && field.Value is PickleTensor
               select ($"{Unwrapped(parameter)}.{field.Key}", (PickleTensor)field.Value!),
        ];
    }

    // A container may be in many places, itself among them: each is looked into once.
    private static IEnumerable<PickleDict> All(object? value, int depth, HashSet<object> seen)
    {
        if (depth > DeepestWrapper || value is not (PickleDict or List<object?>) || !seen.Add(value))
            return [];
        return value switch
        {
            PickleDict dict when Is(dict) => [dict],
            PickleDict dict => dict.Items.SelectMany(i => All(i.Value, depth + 1, seen)),
            _ => ((List<object?>)value).SelectMany(i => All(i, depth + 1, seen)),
        };
    }

    private static HashSet<object> Seen() => new(ReferenceEqualityComparer.Instance);

    private static string Unwrapped(string name) =>
        name.StartsWith("module.", StringComparison.Ordinal) ? name["module.".Length..] : name;

    /// <summary>The parameters' names by their numbers.</summary>
    private static Dictionary<long, string>? Names(
        string path, PickleDict optimizer, PickleDict state, IReadOnlyList<(string Name, PickleTensor Tensor)> weights, out Diagnostic? problem)
    {
        problem = null;
        var groups = ((List<object?>)optimizer.Find("param_groups")!).OfType<PickleDict>().ToArray();
        var names = new Dictionary<long, string>();
        var ids = new List<long>();
        foreach (var group in groups)
        {
            var own = (group.Find("params") as List<object?> ?? []).OfType<long>().ToList();
            ids.AddRange(own);
            if (group.Find("param_names") is List<object?> given && given.Count == own.Count && given.All(n => n is string))
                own.Zip(given.Cast<string>()).ToList().ForEach(p => names[p.First] = p.Second);
        }
        if (ids.Count > 0 && ids.All(names.ContainsKey))
            return names;
        var parameters = weights
            .Where(w => !Buffers.Any(b => ('.' + w.Name).EndsWith(b, StringComparison.Ordinal)) && w.Tensor.Type.DType?.IsMergeable() == true)
            // Tied weights are one parameter under several names.
            .DistinctBy(w => (w.Tensor.Storage.Key, w.Tensor.Storage.Start, w.Tensor.Offset, w.Tensor.Count))
            .ToArray();
        if (weights.Count == 0)
        {
            problem = Unnamed(path, "the optimizer's state numbers its parameters, and nothing in the file names them",
                "param_names in param_groups, or the model's state dict in the same file",
                "Save both in one file: torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict()}, …), "
                + "or make the optimizer from model.named_parameters().");
        }
        else if (groups.Length > 1)
        {
            problem = Unnamed(path, $"the optimizer's state numbers its parameters in {groups.Length} groups, and does not say which is in which",
                "param_names in param_groups", "Make the optimizer from model.named_parameters(), which PyTorch 2.6 and later save.");
        }
        else if (parameters.Length != ids.Count)
        {
            problem = Unnamed(path, $"the optimizer has {ids.Count} parameters, and the state dict beside it {parameters.Length}",
                "the same parameters in the same order", "Make the optimizer from model.named_parameters(), which PyTorch 2.6 and later save.");
        }
        if (problem is not null)
            return null;
        foreach (var (id, (name, weight)) in ids.Zip(parameters))
        {
            if (state.Find(id) is PickleDict fields && fields.Find("exp_avg_sq") is PickleTensor moment
                && !moment.Shape.AsSpan().SequenceEqual(weight.Shape))
            {
                problem = Unnamed(path,
                    $"the optimizer's parameter {id} is [{string.Join(", ", moment.Shape)}], but '{PickleText.Shown(name)}', which has its place "
                    + $"in the state dict, is [{string.Join(", ", weight.Shape)}]",
                    "the same parameters in the same order", "Make the optimizer from model.named_parameters(), which PyTorch 2.6 and later save.");
                return null;
            }
            names[id] = name;
        }
        return names;
    }

    private static Diagnostic Unnamed(string path, string found, string expected, string fix) =>
        new(found) { Where = path, Expected = expected, Fix = fix };
}

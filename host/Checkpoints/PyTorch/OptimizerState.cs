using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>An optimizer's state in what was saved: tensors such as <c>exp_avg_sq</c>, one a parameter.</summary>
internal static class OptimizerState
{
    private const int DeepestWrapper = 3;

    /// <summary>What has the shape of its parameter.</summary>
    private static readonly string[] Alike = ["exp_avg_sq", "exp_avg", "momentum_buffer", "square_avg"];

    private const string AddNames =
        "Add param_names to each group in Python (docs/formats.md shows how), or make the optimizer from model.named_parameters(), "
        + "whose names PyTorch 2.6 and later save";

    /// <summary>Whether a dict is what an optimizer's <c>state_dict()</c> gives.</summary>
    public static bool Is(PickleDict dict) => dict.Find("state") is PickleDict && dict.Find("param_groups") is List<object?>;

    /// <summary>Whether there is any.</summary>
    public static bool IsIn(object? root) => All(root, 0, Seen()).Any();

    /// <summary>The state's tensors as <c>parameter.exp_avg_sq</c> and the like.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="root">What was saved.</param>
    /// <param name="model">The model's parameters in its order, where anything tells them: they name what is numbered.</param>
    /// <param name="problem">Why there are none although there is a state; null as a rule.</param>
    public static IReadOnlyList<(string Name, PickleTensor Tensor)> Find(
        string path, object? root, Func<IReadOnlyList<ModelParameter>> model, out Diagnostic? problem)
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
        var names = isByName ? null : Names(path, optimizers[0], state, model, out problem);
        if (problem is not null)
            return [];
        (string? Parameter, PickleDict Fields)[] own =
        [
            .. from item in state.Items
               where item.Value is PickleDict
               select (item.Key as string ?? names!.GetValueOrDefault(item.Key as long? ?? -1), (PickleDict)item.Value!),
        ];
        var wrapper = WrapperPrefix.Of([.. own.Select(o => o.Parameter).OfType<string>()]).Length;
        return
        [
            .. from parameter in own
               where parameter.Parameter is not null
               from field in parameter.Fields.Items
               where field.Key is string and not "step" && field.Value is PickleTensor
               select ($"{parameter.Parameter![wrapper..]}.{field.Key}", (PickleTensor)field.Value!),
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

    /// <summary>The parameters' names by their numbers.</summary>
    private static Dictionary<long, string>? Names(
        string path, PickleDict optimizer, PickleDict state, Func<IReadOnlyList<ModelParameter>> model, out Diagnostic? problem)
    {
        problem = null;
        var names = new Dictionary<long, string>();
        var groups = new List<IReadOnlyList<(long Id, long[]? Shape)>>();
        foreach (var group in ((List<object?>)optimizer.Find("param_groups")!).OfType<PickleDict>())
        {
            var own = (group.Find("params") as List<object?> ?? []).OfType<long>().ToList();
            groups.Add(own.ConvertAll(id => (id, ShapeOf(state.Find(id) as PickleDict))));
            if (group.Find("param_names") is List<object?> given && given.Count == own.Count && given.All(n => n is string))
                own.Zip(given.Cast<string>()).ToList().ForEach(p => names[p.First] = p.Second);
        }
        if (groups.Exists(g => g.Count > 0) && groups.TrueForAll(g => g.All(p => names.ContainsKey(p.Id))))
            return names;
        var parameters = model();
        if (parameters.Count == 0)
        {
            problem = Unnamed(
                path,
                "the optimizer's state numbers its parameters, and nothing names them",
                "param_names in param_groups, or the model's state dict in the same file or in pytorch_model.bin beside it "
                    + "(a safetensors file does not keep the model's order)",
                $"{AddNames}, or save both in one file: "
                    + "torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict()}, …).");
            return null;
        }
        if (ParameterOrder.Match(groups, parameters, out var found) is { } matched)
            return matched;
        problem = Unnamed(
            path,
            $"the optimizer's state numbers its parameters, and the names cannot be told: {found}",
            "param_names in param_groups, or groups that hold parameters in the model's order and fit its shapes in one way",
            $"{AddNames}.");
        return null;
    }

    private static long[]? ShapeOf(PickleDict? fields) =>
        Alike.Select(f => fields?.Find(f)).OfType<PickleTensor>().FirstOrDefault()?.Shape;

    private static Diagnostic Unnamed(string path, string found, string expected, string fix) =>
        new(found) { Where = path, Expected = expected, Fix = fix };
}

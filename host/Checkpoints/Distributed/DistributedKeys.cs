using System.Text.RegularExpressions;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>Which keys of a distributed checkpoint are weights and which an optimizer's state, and what they are called.</summary>
/// <param name="Weights">Names by key.</param>
/// <param name="State">Names, <c>parameter.exp_avg_sq</c> and the like, by key.</param>
internal sealed partial record DistributedKeys(IReadOnlyDictionary<string, string> Weights, IReadOnlyDictionary<string, string> State)
{
    public static DistributedKeys Of(DistributedMetadata metadata, string path, TrainingContent content)
    {
        var state = new Dictionary<string, string>(StringComparer.Ordinal);
        var left = new List<string>();
        var groups = new OrderedDictionary<string, List<DistributedTensor>>(StringComparer.Ordinal);
        var hasOptimizer = metadata.Tensors.Any(t => OptimizerKey().IsMatch(t.Key));
        foreach (var tensor in metadata.Tensors)
        {
            if (StateKey().Match(tensor.Key) is { Success: true } match)
            {
                if (tensor.Shape.Length > 0 && match.Groups["field"].Value != "step")
                    state.Add(tensor.Key, $"{match.Groups["name"].Value}.{match.Groups["field"].Value}");
                continue;
            }
            if (OptimizerKey().IsMatch(tensor.Key))
            {
                left.Add(tensor.Key);
                continue;
            }
            var wrapper = Wrapper(tensor.Key, metadata.Paths, hasOptimizer);
            if (!groups.TryGetValue(wrapper, out var group))
                groups.Add(wrapper, group = []);
            group.Add(tensor);
        }
        if (state.Values.FirstOrDefault(n => char.IsAsciiDigit(n[0]) && n.IndexOf('.') == n.LastIndexOf('.')) is { } number)
        {
            content.StateProblem = new Diagnostic($"the optimizer's state numbers its parameters ('{number}')")
            {
                Where = path,
                Expected = "their names",
                Fix = "Save what torch.distributed.checkpoint.state_dict.get_optimizer_state_dict gives.",
            };
            state.Clear();
        }
        if (metadata.Others.Count > 0)
            content.Notes.Add($"no tensors, and left out: {PickleText.Listed(metadata.Others)}");
        return new(FindWeights(groups, left, path, content), Unwrapped(state, content, "the optimizer's state"));
    }

    private static Dictionary<string, string> FindWeights(
        OrderedDictionary<string, List<DistributedTensor>> groups, List<string> left, string path, TrainingContent content)
    {
        string[] models = [.. groups.Where(g => g.Value.Exists(t => t.Shape.Length > 0 && t.DType?.IsMergeable() == true)).Select(g => g.Key)];
        if (models.Length > 1)
        {
            content.Report(
                path,
                $"it holds weights under {PickleText.Listed(models)}: which are meant is not plain", "one model",
                "Save the one you mean alone.");
            return [];
        }
        left.AddRange(groups.Where(g => !models.Contains(g.Key)).SelectMany(g => g.Value).Select(t => t.Key));
        if (left.Count > 0)
            content.Notes.Add($"not weights, and left out: {PickleText.Listed(left)}");
        if (models.Length == 0)
            return [];
        var wrapper = models[0];
        if (wrapper.Length > 0)
            content.Notes.Add($"weights found under '{PickleText.Shown(wrapper)}', which is left out of their names");
        var names = groups[wrapper].ToDictionary(t => t.Key, t => t.Key[wrapper.Length..], StringComparer.Ordinal);
        return Unwrapped(names, content, "the weights");
    }

    // What the writer says it made the key of; where it does not, the usual words, if an optimizer's state is beside them.
    private static string Wrapper(string key, IReadOnlyDictionary<string, string[]> paths, bool hasOptimizer)
    {
        if (paths.TryGetValue(key, out var path) && path.Length > 1)
        {
            var wrapper = string.Concat(path[..^1].Select(p => p + "."));
            return key.StartsWith(wrapper, StringComparison.Ordinal) && key.Length > wrapper.Length ? wrapper : "";
        }
        return ModelKey().Match(key) is { Success: true } match && (hasOptimizer || match.Groups["app"].Success) ? match.Value : "";
    }

    private static Dictionary<string, string> Unwrapped(Dictionary<string, string> names, TrainingContent content, string what)
    {
        if (WrapperPrefix.Of([.. names.Values]) is not { Length: > 0 } prefix)
            return names;
        content.Notes.Add($"the prefix '{prefix}' of every name of {what} is left out");
        return names.ToDictionary(n => n.Key, n => n.Value[prefix.Length..], StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^([A-Za-z_]+\.)?optim[A-Za-z]*(_?[0-9]+)?\.([0-9]+\.)?state\.(?<name>.+)\.(?<field>[A-Za-z_]+)$"
        + @"|^state\.(?<name>.+)\.(?<field>exp_avg|exp_avg_sq|max_exp_avg_sq|momentum_buffer|step)$", RegexOptions.ExplicitCapture)]
    private static partial Regex StateKey();

    [GeneratedRegex(@"^([A-Za-z_]+\.)?optim[A-Za-z]*(_?[0-9]+)?\.|^param_groups\.|^state\..+\.step$", RegexOptions.ExplicitCapture)]
    private static partial Regex OptimizerKey();

    [GeneratedRegex(@"^(?<app>app\.)?(model|module|state_dict)\.", RegexOptions.ExplicitCapture)]
    private static partial Regex ModelKey();
}

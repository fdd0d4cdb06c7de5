using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>The weights among what was saved: the state dict itself, or where in a training checkpoint it was.</summary>
/// <param name="Tensors">In their order, under their names without a common prefix.</param>
/// <param name="Notes">What was unwrapped and what was left out, a sentence each.</param>
internal sealed record StateDict(IReadOnlyList<(string Name, PickleTensor Tensor)> Tensors, IReadOnlyList<string> Notes)
{
    private const int DeepestWrapper = 4;

    private static readonly StateDict Empty = new([], []);

    /// <summary>Finds the state dict; one without tensors where there are only an optimizer's.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="root">What was saved.</param>
    /// <param name="keepsNames">Whether names stay as they are: an index gives them.</param>
    /// <param name="selected">The key that is meant where several lead to weights; null: none is named.</param>
    /// <exception cref="MergeException">There is none, or there are several.</exception>
    public static StateDict Find(string path, object? root, bool keepsNames = false, string? selected = null)
    {
        if (root is PickleTensor)
        {
            throw Refuse(path, "the file holds one tensor without a name", "a dict of tensors by name",
                "Save it under its name: torch.save({'name': tensor}, …).");
        }
        if (root is PickleDict whole && OptimizerState.Is(whole))
            return selected is null ? Empty : throw NotThere(path, selected, []);
        // A dict may be in many places: each is looked into once.
        var known = new Dictionary<PickleDict, bool>(ReferenceEqualityComparer.Instance);
        var keys = new List<string>();
        var left = new List<string>();
        var dict = root as PickleDict;
        for (var depth = 0; dict is not null; depth++)
        {
            var inner = depth < DeepestWrapper ? Wrapped(dict, known) : [];
            var isSelected = selected is not null && inner.Contains(selected);
            if (isSelected)
                (inner, selected) = ([selected!], null);
            else if (selected is not null && (inner.Count != 1 || IsStateDict(dict)))
                throw NotThere(path, selected, inner);
            if (IsStateDict(dict) && inner.Count == 0)
                return Named(path, dict, keys, left, keepsNames);
            if (!isSelected && (inner.Count > 1 || (inner.Count == 1 && IsStateDict(dict))))
                throw Ambiguous(path, dict, inner, keys);
            if (inner.Count == 0)
                break;
            left.AddRange(dict.Items.Select(i => i.Key).OfType<string>().Where(k => k != inner[0]));
            keys.Add(inner[0]);
            dict = (PickleDict)dict.Find(inner[0])!;
        }
        if (selected is null && root is PickleDict && OptimizerState.IsIn(root))
            return Empty;
        throw Refuse(
            path,
            root switch
            {
                PickleDict { Items.Count: 0 } => "the file holds an empty dict",
                PickleDict { Items: var items } =>
                    $"no state dict is found; the file holds {PickleText.Listed(items.Select(i => PickleText.Key(i.Key)))}",
                _ => "the file holds no dict",
            },
            "tensors by name, alone or under a key such as 'state_dict' or 'model'",
            "Save the weights alone: torch.save(model.state_dict(), …).");
    }

    /// <summary>Whether a dict holds weights by their names. Scalars (an epoch, a loss) are none.</summary>
    private static bool IsStateDict(PickleDict dict) => dict.Items.Any(i => IsWeight(i.Key, i.Value));

    private static bool IsWeight(object? key, object? value) =>
        key is string && value is PickleTensor { Shape.Length: > 0, Type.DType: { } dtype } && dtype.IsMergeable();

    /// <summary>The keys that lead to state dicts.</summary>
    private static List<string> Wrapped(PickleDict dict, Dictionary<PickleDict, bool> known) =>
    [
        .. dict.Items.Where(i => i.Key is string && i.Value is PickleDict inner && Leads(inner, 1, known)).Select(i => (string)i.Key!),
    ];

    private static bool Leads(PickleDict dict, int depth, Dictionary<PickleDict, bool> known)
    {
        // Not while it is looked into: a dict may contain itself.
        if (!known.TryAdd(dict, false))
            return known[dict];
        return known[dict] = !OptimizerState.Is(dict) && (IsStateDict(dict) || (depth < DeepestWrapper
            && dict.Items.Any(i => i.Key is string && i.Value is PickleDict inner && Leads(inner, depth + 1, known))));
    }

    private static StateDict Named(string path, PickleDict dict, List<string> keys, List<string> left, bool keepsNames)
    {
        var tensors = dict.Items.Where(i => i.Key is string && i.Value is PickleTensor)
            .Select(i => (Name: (string)i.Key!, Tensor: (PickleTensor)i.Value!)).ToList();
        string[] others = [.. dict.Items.Where(i => i.Value is not PickleTensor).Select(i => PickleText.Key(i.Key))];
        var notes = new List<string>();
        if (keys.Count > 0)
            notes.Add($"the weights are those under {string.Concat(keys.Select(k => $"['{PickleText.Shown(k)}']"))}");
        if (!keepsNames && WrapperPrefix.Of(tensors.ConvertAll(t => t.Name)) is { Length: > 0 } prefix)
        {
            tensors = tensors.ConvertAll(t => (t.Name[prefix.Length..], t.Tensor));
            notes.Add($"the prefix '{prefix}' of every name is left out");
        }
        if (left.Count > 0)
            notes.Add($"not weights, and left out: {PickleText.Listed(left)}");
        if (others.Length > 0)
            notes.Add($"no tensors, and left out: {PickleText.Listed(others)}");
        foreach (var (name, _) in tensors)
        {
            if (name is "" or "__metadata__")
                throw Refuse(path, $"a tensor is named '{name}'", "a name that safetensors can hold", "Rename it in Python.");
        }
        return new(tensors, notes);
    }

    private static MergeException Ambiguous(string path, PickleDict dict, List<string> inner, List<string> keys)
    {
        var within = keys.Count == 0 ? "the file" : string.Concat(keys.Select(k => $"['{PickleText.Shown(k)}']"));
        string[] own = [.. dict.Items.Where(i => IsWeight(i.Key, i.Value)).Select(i => (string)i.Key!)];
        var found = own.Length == 0 ? "" : $" beside tensors of its own ({PickleText.Listed(own, 3)})";
        return Refuse(
            path,
            $"{within} holds weights under {PickleText.Listed(inner)}{found}: which are meant is not plain",
            "one state dict",
            $"Write which you mean behind the file: {PickleText.Shown($"{Path.GetFileName(path)}#{inner[^1]}")}"
                + (own.Length == 0 ? "." : "; for its own tensors save them alone in Python."));
    }

    private static MergeException NotThere(string path, string selected, List<string> inner) => Refuse(
        path,
        $"the file holds no weights under '{PickleText.Shown(selected)}'",
        inner.Count == 0 ? "no '#' and key behind the file: it holds no others" : $"one of {PickleText.Listed(inner)}",
        inner.Count == 0 ? "Leave it out." : NearestMatch.Question(selected, inner) ?? "Name one of them.");

    private static MergeException Refuse(string path, string found, string expected, string fix) =>
        new(new Diagnostic(found) { Where = path, Expected = expected, Fix = fix });
}

using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>Brings an adapter's tensors together by module and checks them against each other and the config.</summary>
internal sealed class AdapterReader
{
    private readonly Checkpoint _checkpoint;
    private readonly List<Diagnostic> _problems;
    private readonly SortedDictionary<string, Dictionary<AdapterPart, TensorSource>> _parts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TensorSource> _saved = new(StringComparer.Ordinal);

    /// <param name="checkpoint">The adapter's tensors.</param>
    /// <param name="whole">Names of modules that are brought whole, as a config has them.</param>
    /// <param name="problems">Where errors go.</param>
    public AdapterReader(Checkpoint checkpoint, IReadOnlyList<string> whole, List<Diagnostic> problems)
    {
        (_checkpoint, _problems) = (checkpoint, problems);
        var foreign = new List<(string Name, string What)>();
        var wrapped = new List<(string Name, TensorSource Tensor)>();
        var others = new List<(string Name, TensorSource Tensor)>();
        foreach (var (name, tensor) in checkpoint.Tensors)
        {
            var (module, part) = AdapterNames.Split(name, out var why);
            if (part == AdapterPart.Unknown)
                foreign.Add((name, why));
            else if (part == AdapterPart.Saved)
                others.Add((module, tensor));
            else if (part == AdapterPart.Wrapped)
                wrapped.Add((module, tensor));
            else if (part != AdapterPart.Original)
                Add(module, part, tensor);
        }
        foreach (var (name, tensor) in others)
        {
            if (Variant(name, tensor.Name, whole) is { } what)
                foreign.Add((tensor.Name, what));
            else
                Save(name, tensor);
        }
        foreach (var kind in foreign.GroupBy(f => f.What, f => f.Name))
        {
            Error(kind.First(), $"the tensor is {kind.Key}, which is not read"
                + (kind.Count() == 1 ? "" : $" (and {kind.Count() - 1} more such)"),
                "the two factors of LoRA in every module",
                "Merge the adapter into its base with the tool that made it, and give the result.");
        }
        HasForeign = foreign.Count > 0;
        SaveAlphas();
        foreach (var (name, tensor) in wrapped.Where(w => !_saved.ContainsKey(AdapterNames.CopyOf(w.Name))).ToArray())
            Save(AdapterNames.Parameter(name), tensor);
    }

    /// <summary>Whether all names and scales are kohya's: a config that lies beside them is another adapter's.</summary>
    public bool IsKohya => Factors.Any() && Factors.All(f => AdapterNames.IsKohya(f.Name));

    /// <summary>Whether a module says its scale itself, so that a config may be missing.</summary>
    public bool HasAlphas => _parts.Values.Any(p => p.ContainsKey(AdapterPart.Alpha));

    /// <summary>Whether any tensor is of an adapter, of whatever kind.</summary>
    public bool IsAdapter => HasForeign || Factors.Any();

    /// <summary>Whether some are of a kind that is not read: what belongs to them would seem to be alone.</summary>
    public bool HasForeign { get; }

    public IReadOnlyDictionary<string, TensorSource> Saved => _saved;

    private IEnumerable<TensorSource> Factors => _parts.Values.SelectMany(p => p)
        .Where(p => p.Key != AdapterPart.Alpha).Select(p => p.Value);

    /// <param name="config">Null where every module has an α of its own, is kohya's, or has its scale in the header.</param>
    /// <param name="header">What the file's header says of scales; null: nothing.</param>
    public IReadOnlyDictionary<string, AdapterModule> Modules(AdapterConfig? config, HeaderConfigs? header)
    {
        var modules = new SortedDictionary<string, AdapterModule>(StringComparer.Ordinal);
        if (!IsKohya && Factors.FirstOrDefault(f => AdapterNames.IsKohya(f.Name)) is { } kohya)
        {
            var other = Factors.First(f => !AdapterNames.IsKohya(f.Name));
            Error(_checkpoint.Path, $"some factors are named as kohya's ('{kohya.Name}') and some as PEFT's ('{other.Name}'): "
                + "which scale holds for which cannot be told", "one kind of adapter in a file", "Split it into two files.");
            return modules;
        }
        var reader = new ModuleReader(_checkpoint.Path, header, _problems);
        foreach (var (name, parts) in _parts)
        {
            var said = header?.Of(name);
            ModuleSettings? given = config is null ? null : new(config, name, AdapterConfig.FileName);
            if (said is { } first && given is { } second && Math.Abs(first.Scale - second.Scale) > 1e-6 * Math.Abs(second.Scale))
            {
                Error(name, $"{first.Source} gives it scale {first.Scale:G6}, and {second.Source} {second.Scale:G6}", "one scale",
                    "They are of different adapters: remove the config that is not this one's.");
            }
            else if (reader.Read(name, parts, given ?? said) is { } module)
                modules.Add(name, module);
        }
        if (_parts.Count == 0 && _saved.Count == 0)
            Error(_checkpoint.Path, "the adapter holds no tensors", "lora_A and lora_B of at least one module");
        else if (_parts.Count == 0)
        {
            Error(_checkpoint.Path, $"no tensor is a LoRA factor; the first is '{_checkpoint.Tensors.Keys.First()}'",
                "lora_A and lora_B of at least one module",
                $"{AdapterConfig.FileName} and these tensors do not belong together, or it is a whole model: remove the config.");
        }
        return modules;
    }

    // Names of models may be like an adapter's: one that is not PEFT's is an adapter's beside factors only, and one that is may
    // be that of a module to save.
    private string? Variant(string parameter, string stored, IReadOnlyList<string> whole)
    {
        var module = AdapterNames.Holders(parameter).FirstOrDefault(h => _parts.GetValueOrDefault(h)?.Keys.Any(p => p != AdapterPart.Alpha) == true);
        if (module is not null)
            return AdapterNames.Variant(parameter, module, stored);
        return (AdapterNames.IsPefts(stored) || Factors.Any())
            && !whole.Any(w => AdapterNames.Holders(parameter).Any(h => MergedConfig.IsSaved(w, h)))
            ? AdapterNames.Variant(parameter) : null;
    }

    // Without a factor beside it, a tensor called alpha is some parameter; among kohya's it lacks its factors.
    private void SaveAlphas()
    {
        if (Factors.Any(f => AdapterNames.IsKohya(f.Name)))
            return;
        foreach (var (name, parts) in _parts.Where(p => p.Value.Count == 1 && p.Value.ContainsKey(AdapterPart.Alpha)).ToArray())
        {
            _parts.Remove(name);
            if (!HasForeign)
                Save(name + ".alpha", parts[AdapterPart.Alpha]);
        }
    }

    private void Save(string parameter, TensorSource tensor)
    {
        if (_saved.TryAdd(parameter, tensor))
            return;
        Error(parameter, $"the parameter is there twice: '{_saved[parameter].Name}' and '{tensor.Name}'", "one adapter in a file",
            "Remove the one that was not trained.");
    }

    private void Add(string module, AdapterPart part, TensorSource tensor)
    {
        if (!_parts.TryGetValue(module, out var parts))
            _parts[module] = parts = [];
        if (!parts.TryAdd(part, tensor))
            Error(module, $"the module has two tensors for one factor: '{parts[part].Name}' and '{tensor.Name}'", "one adapter in a file");
    }

    private void Error(string where, string found, string expected, string? fix = null) =>
        _problems.Add(new Diagnostic(found)
        {
            Where = where == _checkpoint.Path ? where : $"{_checkpoint.Path}, {where}",
            Expected = expected,
            Fix = fix,
        });
}

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
    /// <param name="problems">Where errors go.</param>
    public AdapterReader(Checkpoint checkpoint, List<Diagnostic> problems)
    {
        (_checkpoint, _problems) = (checkpoint, problems);
        foreach (var (name, tensor) in checkpoint.Tensors)
        {
            var (module, part) = AdapterNames.Split(name, out var why);
            if (part == AdapterPart.Unknown)
            {
                Error(name, $"the tensor is {why}, which is not read", "the two factors of LoRA in every module",
                    "Merge the adapter into its base with the tool that made it, and give the result.");
                continue;
            }
            if (part == AdapterPart.Saved)
            {
                _saved[module] = tensor;
                continue;
            }
            IsKohya |= part == AdapterPart.Alpha || name.EndsWith(".lora_down.weight", StringComparison.Ordinal);
            if (!_parts.TryGetValue(module, out var parts))
                _parts[module] = parts = [];
            if (!parts.TryAdd(part, tensor))
                Error(module, $"the module has two tensors for one factor: '{parts[part].Name}' and '{name}'", "one adapter in a file");
        }
    }

    /// <summary>Whether names and scales are kohya's: no config is needed.</summary>
    public bool IsKohya { get; }

    public IReadOnlyDictionary<string, TensorSource> Saved => _saved;

    /// <param name="config">Null for kohya's format.</param>
    public IReadOnlyDictionary<string, AdapterModule> Modules(AdapterConfig? config)
    {
        var modules = new SortedDictionary<string, AdapterModule>(StringComparer.Ordinal);
        foreach (var (name, parts) in _parts)
        {
            if (Module(name, parts, config) is { } module)
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

    private AdapterModule? Module(string name, Dictionary<AdapterPart, TensorSource> parts, AdapterConfig? config)
    {
        var isEmbedding = parts.ContainsKey(AdapterPart.EmbeddingA) || parts.ContainsKey(AdapterPart.EmbeddingB);
        var a = parts.GetValueOrDefault(isEmbedding ? AdapterPart.EmbeddingA : AdapterPart.A);
        var b = parts.GetValueOrDefault(isEmbedding ? AdapterPart.EmbeddingB : AdapterPart.B);
        if (a is null || b is null)
        {
            var there = (a ?? b ?? parts.Values.First()).Name;
            Error(name, $"the module has no {(a is null ? "A" : "B")}: '{there}' is alone", "both factors",
                "The file is cut or was edited: get the adapter again.");
            return null;
        }
        var magnitude = parts.GetValueOrDefault(AdapterPart.Magnitude);
        if (!AreFactors(name, a, b, magnitude))
            return null;
        var rank = a.Shape[0];
        if (config is not null && config.RankOf(name) != rank)
        {
            Error(name, $"its factors have rank {rank}, and the config gives it rank {config.RankOf(name)}",
                "r (or rank_pattern) to be that of the tensors: the scale depends on it",
                "Config and tensors are of different adapters, or the pattern's key does not match the module's name.");
            return null;
        }
        if ((config?.Dora == true) != (magnitude is not null))
        {
            Error(name, magnitude is null
                ? "the config says DoRA, and the module has no lora_magnitude_vector"
                : "the module has a lora_magnitude_vector, and the config does not say use_dora",
                "both, or neither");
            return null;
        }
        if (magnitude is not null && (isEmbedding || Elements(magnitude) != b.Shape[0]))
        {
            Error(name, isEmbedding ? "the module is an embedding with DoRA, which is not read"
                : $"its magnitudes are {Elements(magnitude)}", isEmbedding ? "DoRA on linear and convolution modules"
                : $"{b.Shape[0]}, one an output");
            return null;
        }
        if ((config?.ScaleOf(name) ?? (Alpha(parts, rank) / rank)) is not { } scale || !float.IsFinite((float)scale))
        {
            Error(name, "its scale is no finite number", "alpha, one number, over the rank");
            return null;
        }
        return new AdapterModule
        {
            Name = name,
            A = a,
            B = b,
            Magnitude = magnitude,
            IsEmbedding = isEmbedding,
            Layout = a.Shape.Length > 2 ? FactorLayout.Convolution
                : isEmbedding || config?.FanInFanOut == true ? FactorLayout.Transposed
                : FactorLayout.Linear,
            Scale = scale,
        };
    }

    private bool AreFactors(string name, TensorSource a, TensorSource b, TensorSource? magnitude)
    {
        foreach (var factor in new[] { a, b, magnitude }.OfType<TensorSource>())
        {
            if (!factor.DType.IsMergeable())
            {
                Error(factor.Name, $"the factor is of {factor.DType}", "a floating-point dtype");
                return false;
            }
            // A view that repeats few bytes is no factor: read whole it could take any memory.
            if (factor.Length > factor.Files.Sum(f => f.Size))
            {
                Error(factor.Name, $"the factor has {factor.Length} bytes, more than its file", "factors stored as they are");
                return false;
            }
        }
        if (a.Shape.Length >= 2 && b.Shape.Length >= 2 && a.Shape[0] == b.Shape[1] && a.Shape[0] > 0
            && b.Shape.Skip(2).All(s => s == 1) && (a.Shape.Length > 2 || b.Shape.Length == 2))
        {
            return true;
        }
        Error(name, $"its factors do not fit: A is [{string.Join(", ", a.Shape)}], B is [{string.Join(", ", b.Shape)}]",
            "A [r, inputs] and B [outputs, r]");
        return false;
    }

    // Without it kohya's programs take the rank: a scale of 1.
    private static double? Alpha(Dictionary<AdapterPart, TensorSource> parts, long rank)
    {
        if (parts.GetValueOrDefault(AdapterPart.Alpha) is not { } alpha)
            return rank;
        return alpha.DType.IsMergeable() && Elements(alpha) == 1 ? FactorValues.Read(alpha)[0] : null;
    }

    private static long Elements(TensorSource tensor) => tensor.Shape.Aggregate(1L, (p, s) => p * s);

    private void Error(string where, string found, string expected, string? fix = null) =>
        _problems.Add(new Diagnostic(found)
        {
            Where = where == _checkpoint.Path ? where : $"{_checkpoint.Path}, {where}",
            Expected = expected,
            Fix = fix,
        });
}

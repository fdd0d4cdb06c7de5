using System.Buffers.Binary;
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
        var foreign = new List<(string Name, string What)>();
        var wrapped = new List<(string Name, TensorSource Tensor)>();
        foreach (var (name, tensor) in checkpoint.Tensors)
        {
            var (module, part) = AdapterNames.Split(name, out var why);
            if (part == AdapterPart.Unknown)
                foreign.Add((name, why));
            else if (part == AdapterPart.Saved)
                Save(module, tensor);
            else if (part == AdapterPart.Wrapped)
                wrapped.Add((module, tensor));
            else if (part != AdapterPart.Original)
                Add(module, part, tensor);
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
        foreach (var (name, parts) in _parts)
        {
            var (said, own) = header?.Of(name) ?? (null, name);
            if (said is not null && config is not null && Math.Abs(said.ScaleOf(own) - config.ScaleOf(name)) > 1e-6 * Math.Abs(config.ScaleOf(name)))
            {
                Error(name, $"the file's header ({HeaderConfigs.Key}) gives it scale {said.ScaleOf(own):G6}, and {AdapterConfig.FileName} "
                    + $"{config.ScaleOf(name):G6}", "one scale", "They are of different adapters: remove the config that is not this one's.");
            }
            else if (Module(name, parts, config ?? said, config is null ? own : name) is { } module)
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

    /// <param name="name">The module.</param>
    /// <param name="parts">Its tensors.</param>
    /// <param name="config">What says its rank and scale.</param>
    /// <param name="own">What the config calls it.</param>
    private AdapterModule? Module(string name, Dictionary<AdapterPart, TensorSource> parts, AdapterConfig? config, string own)
    {
        var isEmbedding = parts.ContainsKey(AdapterPart.EmbeddingA) || parts.ContainsKey(AdapterPart.EmbeddingB);
        if (isEmbedding && (parts.GetValueOrDefault(AdapterPart.A) ?? parts.GetValueOrDefault(AdapterPart.B)) is { } second)
        {
            Error(name, $"the module has the factors of an embedding and, in '{second.Name}', those of a linear layer",
                "one or the other", "Look at how the file was put together.");
            return null;
        }
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
        if (config is not null && config.RankOf(own) != rank)
        {
            Error(name, $"its factors have rank {rank}, and the config gives it rank {config.RankOf(own)}",
                "r (or rank_pattern) to be that of the tensors: the scale depends on it",
                "Config and tensors are of different adapters, or the pattern's key does not match the module's name.");
            return null;
        }
        if (config is not null && config.Dora != magnitude is not null)
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
        if (Scale(name, a, parts.GetValueOrDefault(AdapterPart.Alpha), config?.ScaleOf(own)) is not { } scale)
            return null;
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

    /// <summary>s: by the module's own α, else by the config; kohya's programs take 1 where there is neither.</summary>
    private double? Scale(string name, TensorSource a, TensorSource? alpha, double? said)
    {
        double? own = alpha is null ? null : Number(alpha) / a.Shape[0];
        if (alpha is null && said is null && !AdapterNames.IsKohya(a.Name))
        {
            Error(name, "nothing says its scale: other modules have an alpha beside their factors, and this one has none",
                $"'{name}.alpha', or an {AdapterConfig.FileName}", "Get the file again, or its config.");
            return null;
        }
        var scale = alpha is null ? said ?? 1 : own;
        if (scale is not { } given || !float.IsFinite((float)given))
        {
            Error(name, "its scale is no finite number", "alpha, one number, over the rank");
            return null;
        }
        if (alpha is not null && said is { } other && Math.Abs(other - given) > 1e-6 * Math.Abs(given))
        {
            Error(name, $"its own alpha gives it scale {given:G6}, and the config {other:G6}", "one scale",
                "Config and tensors are of different adapters: remove what is not this one's.");
            return null;
        }
        return scale;
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
        if (a.Shape.Length > 2 && b.Shape.Length > 1 && a.Shape[0] > b.Shape[1] && b.Shape[1] > 0 && a.Shape[0] % b.Shape[1] == 0)
        {
            Error(name, $"A has {a.Shape[0]} rows and B takes {b.Shape[1]}, as in a convolution of {a.Shape[0] / b.Shape[1]} groups, "
                + "whose change is no product of A and B", "factors of an ordinary convolution",
                "Leave these layers out of target_modules when training: PEFT itself does not merge them.");
            return false;
        }
        Error(name, $"its factors do not fit: A is [{string.Join(", ", a.Shape)}], B is [{string.Join(", ", b.Shape)}]",
            "A [r, inputs] and B [outputs, r]");
        return false;
    }

    private static double? Number(TensorSource alpha)
    {
        if (Elements(alpha) != 1)
            return null;
        if (alpha.DType.IsMergeable())
            return FactorValues.Read(alpha)[0];
        var bytes = new byte[alpha.Length];
        alpha.Read(0, bytes);
        return alpha.DType switch
        {
            DType.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            DType.I32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            DType.I16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            DType.I8 => (sbyte)bytes[0],
            DType.U8 => bytes[0],
            _ => null,
        };
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

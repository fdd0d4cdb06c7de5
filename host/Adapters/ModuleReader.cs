using System.Buffers.Binary;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>Makes a module of its tensors, which are checked against each other and what says its rank and scale.</summary>
/// <param name="path">The adapter, for messages.</param>
/// <param name="header">What the file's header says; null: nothing.</param>
/// <param name="problems">Where errors go.</param>
internal sealed class ModuleReader(string path, HeaderConfigs? header, List<Diagnostic> problems)
{
    /// <param name="name">The module.</param>
    /// <param name="parts">Its tensors.</param>
    /// <param name="settings">What says its rank and scale; null where an α of its own must, or it is kohya's.</param>
    /// <returns>Null with an error.</returns>
    public AdapterModule? Read(string name, IReadOnlyDictionary<AdapterPart, TensorSource> parts, ModuleSettings? settings)
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
        if (settings is { } by && by.Rank != rank)
        {
            Error(name, $"its factors have rank {rank}, and {by.Source} gives it rank {by.Rank}",
                "r (or rank_pattern) to be that of the tensors: the scale depends on it",
                "Settings and tensors are of different adapters, or the pattern's key does not match the module's name.");
            return null;
        }
        if (settings is { } said && said.Config.Dora != magnitude is not null)
        {
            Error(name, magnitude is null
                ? $"{said.Source} says DoRA, and the module has no lora_magnitude_vector"
                : $"the module has a lora_magnitude_vector, and {said.Source} does not say use_dora",
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
        if (Scale(name, a, parts.GetValueOrDefault(AdapterPart.Alpha), settings) is not { } scale)
            return null;
        return new AdapterModule
        {
            Name = name,
            A = a,
            B = b,
            Magnitude = magnitude,
            IsEmbedding = isEmbedding,
            Layout = a.Shape.Length > 2 ? FactorLayout.Convolution
                : isEmbedding || settings?.Config.FanInFanOut == true ? FactorLayout.Transposed
                : FactorLayout.Linear,
            Scale = scale,
        };
    }

    /// <summary>s: by the module's own α, else by its settings; kohya's programs take 1 where there is neither.</summary>
    private double? Scale(string name, TensorSource a, TensorSource? alpha, ModuleSettings? settings)
    {
        if (alpha is null && settings is null && !AdapterNames.IsKohya(a.Name))
        {
            var (found, expected) = header?.Lack(name)
                ?? ("other modules have an alpha beside their factors, and this one has none", $"an {AdapterConfig.FileName}");
            Error(name, $"nothing says its scale: {found}", $"'{name}.alpha', or {expected}",
                header is null ? "Get the file again, or its config." : "Get the file again, or write its settings into the header.");
            return null;
        }
        var scale = alpha is null ? settings?.Scale ?? 1 : Number(alpha) / a.Shape[0];
        if (scale is not { } given || !float.IsFinite((float)given))
        {
            Error(name, "its scale is no finite number", "alpha, one number, over the rank");
            return null;
        }
        if (alpha is not null && settings is { } other && Math.Abs(other.Scale - given) > 1e-6 * Math.Abs(given))
        {
            Error(name, $"its own alpha gives it scale {given:G6}, and {other.Source} {other.Scale:G6}", "one scale",
                "Settings and tensors are of different adapters: remove what is not this one's.");
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
        problems.Add(new Diagnostic(found) { Where = $"{path}, {where}", Expected = expected, Fix = fix });
}

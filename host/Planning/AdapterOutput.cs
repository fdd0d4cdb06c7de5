using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>How a linear combination of adapters is written as one.</summary>
internal enum AdapterCombination
{
    /// <summary>Σ w·s·B·A itself: the factors side by side.</summary>
    Exact,

    /// <summary>Σ w·B and Σ w·A: their product has cross-terms. What averaging the checkpoints of one run does.</summary>
    Factors,

    /// <summary>PEFT's "linear": Σ √|w·s|·B and Σ sign·√|w·s|·A.</summary>
    PeftLinear,
}

/// <summary>
/// What a merge that makes an adapter knows beside its plan, whose tensors are the modules' weights: each model its task
/// vector s·B·A, the base zeros (of an extraction the two models themselves).
/// </summary>
/// <param name="Adapters">In the plan's order of models; empty where the adapter is extracted.</param>
/// <param name="Modules">By the weight's name: what shows its layout, and the module in each adapter (null: none).</param>
/// <param name="Saved">By the parameter's name: where each adapter has it whole (null: it has not).</param>
/// <param name="Choice">How much to keep; null: all.</param>
/// <param name="Combination">How linear combinations are written.</param>
/// <param name="OutType">What factors are written as.</param>
/// <param name="BaseModel">The model it belongs to; null: what the adapters say.</param>
internal sealed record AdapterOutput(
    IReadOnlyList<Adapter> Adapters,
    IReadOnlyDictionary<string, (AdapterModule Like, IReadOnlyList<AdapterModule?> Each)> Modules,
    IReadOnlyDictionary<string, IReadOnlyList<TensorSource?>> Saved,
    RankChoice? Choice,
    AdapterCombination Combination,
    DType OutType,
    string? BaseModel)
{
    /// <summary>Ranks of modules, where they are not that of the choice: the first key that matches holds.</summary>
    public IReadOnlyList<(Regex Key, int Rank)> RankPattern { get; init; } = [];

    /// <summary>Of an extraction all modules of the model, of whatever kind: short names of targets must not mean more than was meant.</summary>
    public IReadOnlyList<string> AllModules { get; init; } = [];

    /// <summary>How much of a module is kept; null: all.</summary>
    public RankChoice? ChoiceOf(string module) => RankPattern.FirstOrDefault(p => p.Key.IsMatch(module)) is { Key: not null } found
        ? new RankChoice(found.Rank, Choice?.KeptEnergy) : Choice;

    /// <summary>Whether a linear combination of a module is written from the adapters' files as it is read: nothing is to be
    /// known of it first.</summary>
    /// <param name="weight">The module's weight.</param>
    public bool IsWrittenStraight(string weight) => Combination == AdapterCombination.Exact
        && OutType is not (DType.F16 or DType.BF16) && ChoiceOf(Modules[weight].Like.Name) is null;

    public bool IsExtracted => Adapters.Count == 0;

    /// <summary>Whether it gets an <c>adapter_config.json</c>: files of kohya's and diffusers' kind say all in one.</summary>
    public bool HasConfig => IsExtracted || Adapters.Any(a => a.Config is not null);

    /// <summary>What the file's header says: the scales, where its factors are named as diffusers names them.</summary>
    /// <param name="ranks">r of every module.</param>
    /// <exception cref="MergeException">It cannot say how the weights of a component are stored.</exception>
    public Dictionary<string, string> Header(IReadOnlyDictionary<string, int> ranks)
    {
        var header = new Dictionary<string, string> { ["format"] = "pt" };
        if (HasHeader)
        {
            var components = HeaderConfigs.Components(Adapters.Select(a => a.Header));
            header[HeaderConfigs.Key] = HeaderConfigs.Text(ranks, components, Transposed(components));
        }
        return header;
    }

    /// <summary>Whether the scales are in the header.</summary>
    public bool HasHeader => !HasConfig && Modules.Values.All(m => !AdapterNames.IsKohya(m.Like.A.Name));

    /// <summary>Whether an alpha stands beside each pair.</summary>
    public bool HasAlphas => !HasConfig && !HasHeader;

    public bool FanInFanOut => Modules.Values.Any(m => m.Like is { Layout: FactorLayout.Transposed, IsEmbedding: false });

    // fan_in_fan_out holds for a component, and turns a square weight that it is wrong of.
    private HashSet<string> Transposed(IReadOnlySet<string> components)
    {
        var transposed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in Modules.Values.SelectMany(m => m.Each).OfType<AdapterModule>()
            .Where(m => m is { IsEmbedding: false, Layout: not FactorLayout.Convolution })
            .GroupBy(m => HeaderConfigs.Split(m.Name, components.Contains).Component, StringComparer.Ordinal))
        {
            if (component.All(m => m.Layout == FactorLayout.Linear))
                continue;
            transposed.Add(component.Key);
            if (component.FirstOrDefault(m => m.Layout == FactorLayout.Linear) is { } straight)
            {
                throw new MergeException(new Diagnostic(
                    $"the weight of '{straight.Name}' is stored [outputs, inputs] by the header of one adapter, and by that of another "
                    + $"weights of {(component.Key.Length == 0 ? "the model" : component.Key)} are stored [inputs, outputs]")
                {
                    Where = string.Join(", ", Adapters.Select(a => a.Path)),
                    Expected = $"one 'fan_in_fan_out' in {HeaderConfigs.Key}, which speaks for all of a component",
                    Fix = "Merge adapters of one model; where they are, correct the flag that is wrong.",
                });
            }
        }
        return transposed;
    }
}

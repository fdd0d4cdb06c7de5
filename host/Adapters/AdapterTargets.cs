using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>
/// Which tensor of a model each module of an adapter changes. Names agree but for what wraps the model: adapters of a
/// bare model leave out its prefix (<c>model.</c>) and the other way round; kohya's write '_' for every dot.
/// </summary>
internal sealed class AdapterTargets
{
    private static readonly string[] KohyaPrefixes =
        ["lora_unet_", "lora_te_", "lora_te1_", "lora_te2_", "lora_te3_", "lora_transformer_", "lora_"];

    private readonly string[] _names;
    private readonly HashSet<string> _known;
    private readonly Lazy<ILookup<string, string>> _underscored;

    /// <param name="names">The tensors of the model.</param>
    public AdapterTargets(IEnumerable<string> names)
    {
        _names = [.. names];
        _known = _names.ToHashSet(StringComparer.Ordinal);
        _underscored = new(() => _names.ToLookup(n => n.Replace('.', '_'), StringComparer.Ordinal));
    }

    /// <summary>The model's name for a parameter; none where there is none, several where more than one could be meant.</summary>
    /// <param name="parameter">The adapter's, with its <c>.weight</c> or <c>.bias</c>.</param>
    /// <param name="mayBeFlat">Whether dots may be underscores.</param>
    public IReadOnlyList<string> Find(string parameter, bool mayBeFlat)
    {
        if (_known.Contains(parameter))
            return [parameter];
        string[] flat = mayBeFlat ? FindKohya(parameter) : [];
        return flat.Length == 1 ? flat : FindPeft(parameter) is { Length: > 0 } found ? found : flat;
    }

    /// <summary>For a message: the nearest name there is.</summary>
    public string? Nearest(string parameter) => NearestMatch.Of(parameter, _names);

    private string[] FindPeft(string parameter)
    {
        // A longer name of the model that ends in the adapter's.
        string[] longer = [.. _names.Where(n => n.EndsWith("." + parameter, StringComparison.Ordinal))];
        if (longer.Length == 1)
            return longer;
        for (var dot = parameter.IndexOf('.'); dot >= 0; dot = parameter.IndexOf('.', dot + 1))
        {
            // '.weight' alone is nobody's name.
            if (parameter.IndexOf('.', dot + 1) >= 0 && _known.Contains(parameter[(dot + 1)..]))
                return [parameter[(dot + 1)..]];
        }
        return longer;
    }

    private string[] FindKohya(string parameter)
    {
        var flat = parameter.Replace('.', '_');
        var own = KohyaPrefixes.Where(p => flat.StartsWith(p, StringComparison.Ordinal)).Select(p => flat[p.Length..])
            .FirstOrDefault(flat);
        string[] whole = [.. _underscored.Value[own]];
        return whole.Length == 1 ? whole
            : [.. _names.Where(n => n.Replace('.', '_').EndsWith("_" + own, StringComparison.Ordinal))];
    }
}

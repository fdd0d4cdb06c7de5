using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// Which tensors are a module's. Modules are known by how tensor names begin; a name nobody knows may itself be such a
/// beginning (<c>mtp</c> for <c>mtp.layers.0…</c>).
/// </summary>
internal sealed class ModelParts
{
    // The first name of each is the one shown. A beginning also stands after 'model.'.
    private static readonly (string[] Names, string[] Prefixes)[] Known =
    [
        (["text_decoder", "text_model", "language_model", "text", "llm"], ["language_model.", "text_model.", "llm."]),
        (["vision_tower", "vision_model", "vision_encoder", "vision", "visual"],
            ["vision_tower.", "vision_model.", "vision_encoder.", "visual."]),
        (["audio_tower", "audio_encoder", "audio"], ["audio_tower.", "audio_encoder.", "audio_model."]),
        (["multi_modal_projector", "projector", "connector"],
            ["multi_modal_projector.", "mm_projector.", "projector.", "connector.", "visual.merger."]),
        (["encoder"], ["encoder.", "transformer.encoder."]),
        (["decoder"], ["decoder.", "transformer.decoder."]),
    ];

    private static readonly string[] Heads = ["lm_head.", "model.lm_head.", "proj_out.", "embed_out."];

    /// <summary>The module of a model that has no parts.</summary>
    public const string Everything = "default";

    private readonly Dictionary<string, string?> _owners = new(StringComparer.Ordinal);

    private ModelParts(IEnumerable<string> tensors, IReadOnlyList<string> modules)
    {
        foreach (var tensor in tensors)
            _owners.TryAdd(tensor, Owner(tensor, modules));
    }

    /// <summary>Gives every tensor of the models to one of the recipe's modules.</summary>
    /// <param name="models">All that take part.</param>
    /// <param name="modules">The recipe's.</param>
    /// <param name="recipePath">For messages.</param>
    /// <param name="problems">Where a module goes that no tensor belongs to.</param>
    public static ModelParts Of(
        IReadOnlyList<PlannedModel> models, IReadOnlyList<PlannedModule> modules, string recipePath, List<Diagnostic> problems)
    {
        string[] names = [.. modules.Select(m => m.Name).OfType<string>()];
        var parts = new ModelParts(
            names.Length == 0 ? [] : models.SelectMany(m => m.Checkpoint.Tensors.Keys), names);
        foreach (var module in modules.Where(m => m.Name is { } name && !parts._owners.ContainsValue(name)))
        {
            var found = Found(models);
            problems.Add(new Diagnostic($"there is no module '{module.Name}' in the models")
            {
                Expected = $"one of {string.Join(", ", found)}, or what tensor names begin with",
                Where = $"{recipePath}, line {module.Line}",
                Fix = NearestMatch.Question(module.Name!, found),
            });
        }
        return parts;
    }

    /// <summary>The modules of some models, as a recipe may name them.</summary>
    public static IReadOnlyList<string> Found(IEnumerable<PlannedModel> models) =>
        Of(models.SelectMany(m => m.Checkpoint.Tensors.Keys));

    /// <summary>The modules that tensor names speak of; <c>default</c> alone where they speak of none.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<string> tensors)
    {
        string[] all = [.. tensors];
        var parts = all.Select(PartOf).Where(p => p.Part is not null).Select(p => p.Part!).Distinct().ToList();
        if (parts.Count == 0)
            return [Everything];
        var isText = !parts.Contains("text_decoder") && !parts.Contains("decoder")
            && LayerStack.Of(all.Where(t => PartOf(t).Part is null)).Count > 0;
        if (isText)
            parts.Add("text_decoder");
        return [.. parts.Order(StringComparer.Ordinal)];
    }

    /// <summary>The known name for a module's name; itself where it is unknown.</summary>
    public static string PartName(string module) =>
        Known.Where(k => k.Names.Contains(module)).Select(k => k.Names[0]).FirstOrDefault(module);

    public bool Owns(string? module, string tensor) => module is null || _owners.GetValueOrDefault(tensor) == module;

    /// <summary>Whether no module of the recipe has the tensor.</summary>
    public bool IsLeft(string tensor) => _owners.GetValueOrDefault(tensor) is null;

    private static string? Owner(string tensor, IReadOnlyList<string> modules)
    {
        var literal = modules
            .SelectMany(m => new (string Module, string Prefix)[] { (m, m + "."), (m, $"model.{m}.") })
            .Where(m => tensor.StartsWith(m.Prefix, StringComparison.Ordinal))
            .DefaultIfEmpty((Module: "", Prefix: ""))
            .MaxBy(m => m.Prefix.Length);
        var (part, length) = PartOf(tensor);
        if (literal.Module.Length > 0 && literal.Prefix.Length >= length)
            return literal.Module;
        if (part is not null)
            return Listed(part) ?? Listed(Everything);
        // What belongs to no known part is the text decoder's, as is the head; a model of two stacks has its head behind
        // the decoder.
        return Listed("text_decoder")
            ?? (Heads.Any(h => tensor.StartsWith(h, StringComparison.Ordinal)) ? Listed("decoder") : null)
            ?? Listed(Everything);

        string? Listed(string name) => modules.FirstOrDefault(m => PartName(m) == name);
    }

    // The longest beginning decides.
    private static (string? Part, int Length) PartOf(string tensor)
    {
        (string? Part, int Length) best = (null, 0);
        foreach (var (names, prefixes) in Known)
        {
            foreach (var prefix in prefixes.SelectMany(p => new[] { p, "model." + p }))
            {
                if (prefix.Length > best.Length && tensor.StartsWith(prefix, StringComparison.Ordinal))
                    best = (names[0], prefix.Length);
            }
        }
        return best;
    }
}

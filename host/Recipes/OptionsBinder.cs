using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>
/// Gives a method's parameters the recipe's values. All sections are read and checked when it is made; what is wrong is
/// told by <see cref="ThrowIfAny"/>, after the scopes have said what they miss too.
/// </summary>
internal sealed class OptionsBinder
{
    // Memory savers of mergekit: they change no result, and are in most published recipes.
    private static readonly string[] WithoutEffect = ["int8_mask"];

    // More of them is a list that hides the warning.
    private const int MostDefaults = 3;

    private readonly Recipe _recipe;
    private readonly string _method;
    private readonly Func<string, IReadOnlyList<string>> _methodsWith;
    private readonly RecipeFindings _findings;
    private readonly ParameterRules _rules;
    private readonly Dictionary<RecipeParameters, Dictionary<string, ParameterRule?>> _sections =
        new(ReferenceEqualityComparer.Instance);

    private readonly HashSet<RecipeParameters> _used = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<(string Parameter, ModelReference? Model)> _missing = [];

    /// <param name="schema">The method's parameters.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="method">The method's id.</param>
    /// <param name="methodsWith">The ids of the other methods that have a parameter of this name.</param>
    public OptionsBinder(
        OptionsSchema schema, Recipe recipe, string method, Func<string, IReadOnlyList<string>> methodsWith)
    {
        (Schema, _recipe, _method, _methodsWith) = (schema, recipe, method, methodsWith);
        _findings = new RecipeFindings(recipe.Path);
        _rules = new ParameterRules(_findings);
        foreach (var section in Sections(recipe))
            ReadSection(section, null);
        foreach (var model in Models(recipe))
            ReadSection(model.Parameters, model);
    }

    public OptionsSchema Schema { get; }

    /// <summary>What the recipe gives and the method does not use.</summary>
    public IReadOnlyList<Diagnostic> Warnings => _findings.Warnings;

    /// <summary>The options of the tensors of one slice.</summary>
    /// <param name="models">The method's models in order, the base not among them unless the method counts it:
    /// entries of the recipe, or new ones.</param>
    /// <param name="slice">The slice's own parameters.</param>
    /// <param name="module">Its module's.</param>
    public OptionsScope Scope(IReadOnlyList<RecipeModel> models, RecipeParameters slice, RecipeParameters module)
    {
        RecipeParameters[] shared = [slice, module, _recipe.Parameters];
        foreach (var model in models)
            _used.Add(model.Parameters);
        foreach (var parameter in Schema.Parameters.Where(p => p.Required && shared.All(s => s.Find(p.Name) is null)))
        {
            if (!parameter.IsPerModel)
                Missing(parameter, null, null);
            foreach (var model in models.Where(m => parameter.IsPerModel && m.Parameters.Find(parameter.Name) is null))
                Missing(parameter, model, null);
        }
        return new(this, models, shared);
    }

    /// <summary>The rule a section has for a parameter; null where it has none.</summary>
    public ParameterRule? Rule(RecipeParameters section, string parameter) =>
        _sections.GetValueOrDefault(section)?.GetValueOrDefault(parameter);

    /// <summary>Reports, once for each model, that a required parameter has no value.</summary>
    /// <param name="parameter">It.</param>
    /// <param name="model">Whose value it is; null: that of all.</param>
    /// <param name="tensor">What no filter matches; null where the parameter is not given at all.</param>
    public void Missing(ParameterSchema parameter, RecipeModel? model, string? tensor)
    {
        if (!_missing.Add((parameter.Name, model?.Model)))
            return;
        var line = model?.Model.Line ?? _recipe.MethodLine;
        _findings.Error(line,
            $"{_method} needs '{parameter.Name}'{(model is null ? "" : $" for {RecipeText.Quote(model.Model.Text)}")}"
            + (tensor is null ? "" : $"; none of its filters matches {RecipeText.Quote(tensor)}"),
            parameter.Expected,
            tensor is not null ? "End the list with a 'value' that has no filter."
                : $"Give it below 'parameters:'{(parameter.IsPerModel ? " of the model or of the recipe" : " of the recipe")}.");
    }

    /// <summary>Warns of what stays without effect: filters that match nothing, parameters of the base.</summary>
    /// <param name="tensors">The names of all tensors that are merged, in every model and in the output.</param>
    public void CheckUse(IReadOnlyCollection<string> tensors)
    {
        foreach (var filter in _rules.Filters.Where(f => !tensors.Any(t => FilterRule.Matches(f.Filter, t))))
            _findings.Warn(filter.Line, $"the filter {RecipeText.Quote(filter.Filter!)} matches no tensor");
        foreach (var model in Models(_recipe).Where(m => !_used.Contains(m.Parameters)))
        {
            foreach (var given in model.Parameters.Items.Where(g => Schema.Find(g.Name) is { IsPerModel: true }))
            {
                _findings.Warn(given.Line,
                    $"'{given.Name}' of {RecipeText.Quote(model.Model.Text)} has no effect: it is the base model");
            }
        }
    }

    /// <exception cref="MergeException">Something is wrong: all of it.</exception>
    public void ThrowIfAny() => _findings.ThrowIfAny();

    private static IEnumerable<RecipeParameters> Sections(Recipe recipe) =>
    [
        recipe.Parameters,
        .. recipe.Slices.Select(s => s.Parameters),
        .. recipe.Modules.Select(m => m.Parameters),
        .. recipe.Modules.SelectMany(m => m.Slices).Select(s => s.Parameters),
    ];

    // A trajectory's entry has become many with the same parameters: each section is looked at once.
    private static IEnumerable<RecipeModel> Models(Recipe recipe) =>
        recipe.Models
            .Concat(recipe.Slices.SelectMany(s => s.Sources))
            .Concat(recipe.Modules.SelectMany(m => m.Models.Concat(m.Slices.SelectMany(s => s.Sources))))
            .DistinctBy(m => m.Parameters, ReferenceEqualityComparer.Instance);

    private void ReadSection(RecipeParameters section, RecipeModel? model)
    {
        if (_sections.ContainsKey(section))
            return;
        var rules = _sections[section] = [];
        foreach (var given in section.Items)
        {
            if (CheckName(given) is not { } parameter)
                continue;
            if (model is not null && !parameter.IsPerModel)
            {
                _findings.Error(given.Line, $"'{given.Name}' is given for {RecipeText.Quote(model.Model.Text)} alone, " +
                    $"and {_method} has one value for all models", null,
                    "Move it to the recipe's own 'parameters'.");
                continue;
            }
            rules[parameter.Name] = _rules.Read(parameter, given);
        }
    }

    private ParameterSchema? CheckName(RecipeParameter given)
    {
        if (Schema.Find(given.Name) is { } parameter)
            return parameter;
        var others = _methodsWith(given.Name);
        var names = Schema.Parameters.Select(p => p.Name).ToList();
        if (others.Count > 0)
        {
            _findings.Warn(given.Line, $"'{given.Name}' has no effect: {_method} has no such parameter, " +
                $"{string.Join(", ", others)} {(others.Count == 1 ? "has" : "have")}{DefaultsInUse()}",
                NearestMatch.Question(given.Name, names)
                    ?? (names.Count == 0 ? "Leave it out, or choose a method that has it." : "Leave it out, or give one that the method has."),
                names.Count == 0 ? $"no parameters: {_method} has none" : $"{string.Join(", ", names)}: what {_method} has");
        }
        else if (WithoutEffect.Contains(given.Name))
        {
            _findings.Warn(given.Line, $"'{given.Name}' has no effect here");
        }
        else
        {
            _findings.Error(given.Line, $"{_method} has no parameter {RecipeText.Quote(given.Name)}",
                names.Count == 0 ? "no parameters" : RecipeText.OneOf(names),
                NearestMatch.Question(given.Name, names));
        }
        return null;
    }

    /// <summary>What stands in for values that were meant, where few are left out: "; alpha = 1, its default, is used".</summary>
    private string DefaultsInUse()
    {
        ParameterSchema[] left = [.. Schema.Parameters.Where(p => !p.Required
            && !Sections(_recipe).Concat(Models(_recipe).Select(m => m.Parameters)).Any(s => s.Find(p.Name) is not null))];
        if (left.Length is 0 or > MostDefaults || left.Any(p => p.Default is null || p.IsArray))
            return "";
        var values = string.Join(" and ", left.Select(p => $"{p.Name} = {ParameterText.Write(p.Default!)}"));
        return left.Length == 1 ? $"; {values}, its default, is used" : $"; {values}, their defaults, are used";
    }
}

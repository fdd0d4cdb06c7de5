using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>
/// Gives a method's parameters the recipe's values. A model's own value goes before the recipe's global one, that
/// before the default.
/// </summary>
internal sealed class OptionsBinder
{
    // Memory savers of mergekit: they change no result, and are in most published recipes.
    private static readonly string[] WithoutEffect = ["int8_mask"];

    private readonly OptionsSchema _schema;
    private readonly Recipe _recipe;
    private readonly string _method;
    private readonly Func<string, IReadOnlyList<string>> _methodsWith;
    private readonly RecipeFindings _findings;

    private OptionsBinder(
        OptionsSchema schema, Recipe recipe, string method, Func<string, IReadOnlyList<string>> methodsWith)
    {
        (_schema, _recipe, _method, _methodsWith) = (schema, recipe, method, methodsWith);
        _findings = new RecipeFindings(recipe.Path);
    }

    /// <summary>Binds and validates everything.</summary>
    /// <param name="schema">The method's parameters.</param>
    /// <param name="recipe">The recipe, its trajectories expanded.</param>
    /// <param name="models">The method's models in order, the base not among them unless the method counts it:
    /// entries of the recipe, or new ones.</param>
    /// <param name="method">The method's id.</param>
    /// <param name="methodsWith">The ids of the other methods that have a parameter of this name.</param>
    /// <exception cref="MergeException">Everything that is wrong.</exception>
    public static BoundOptions Bind(OptionsSchema schema, Recipe recipe, IReadOnlyList<RecipeModel> models,
        string method, Func<string, IReadOnlyList<string>> methodsWith)
    {
        var binder = new OptionsBinder(schema, recipe, method, methodsWith);
        binder.CheckNames(models);
        var bound = schema.Parameters.Select(p => binder.Bind(p, models)).ToList();
        binder._findings.ThrowIfAny();
        return new(schema, bound, binder._findings.Warnings);
    }

    private void CheckNames(IReadOnlyList<RecipeModel> models)
    {
        foreach (var given in _recipe.Parameters.Items)
            CheckName(given);
        // A trajectory's entry has become many with the same parameters: each section is looked at once.
        foreach (var section in _recipe.Models.DistinctBy(m => m.Parameters, ReferenceEqualityComparer.Instance))
        {
            var model = RecipeText.Quote(section.Model.Text);
            var isUsed = models.Any(m => ReferenceEquals(m.Parameters, section.Parameters));
            foreach (var given in section.Parameters.Items)
            {
                if (CheckName(given) is not { } parameter)
                    continue;
                if (!parameter.IsPerModel)
                {
                    _findings.Error(given.Line,
                        $"'{given.Name}' is given for {model} alone, and {_method} has one value for all models", null,
                        "Move it to the recipe's own 'parameters'.");
                }
                else if (!isUsed)
                {
                    _findings.Warn(given.Line, $"'{given.Name}' of {model} has no effect: it is the base model");
                }
            }
        }
    }

    private ParameterSchema? CheckName(RecipeParameter given)
    {
        if (_schema.Find(given.Name) is { } parameter)
            return parameter;
        var others = _methodsWith(given.Name);
        if (others.Count > 0)
        {
            _findings.Warn(given.Line, $"'{given.Name}' has no effect: {_method} has no such parameter, " +
                $"{string.Join(", ", others)} {(others.Count == 1 ? "has" : "have")}");
        }
        else if (WithoutEffect.Contains(given.Name))
        {
            _findings.Warn(given.Line, $"'{given.Name}' has no effect here");
        }
        else
        {
            var names = _schema.Parameters.Select(p => p.Name).ToList();
            _findings.Error(given.Line, $"{_method} has no parameter {RecipeText.Quote(given.Name)}",
                names.Count == 0 ? "no parameters" : $"one of {string.Join(", ", names)}",
                NearestMatch.Question(given.Name, names));
        }
        return null;
    }

    private BoundParameter Bind(ParameterSchema parameter, IReadOnlyList<RecipeModel> models)
    {
        var global = _recipe.Parameters.Find(parameter.Name);
        BoundValue? forAll = global is null ? null : Read(parameter, global);
        if (!parameter.IsPerModel)
        {
            if (global is null && parameter.Required)
                Missing(parameter, _recipe.MethodLine, null);
            return new(parameter, [forAll ?? Default(parameter)]);
        }
        var sections = new Dictionary<RecipeParameters, BoundValue>(ReferenceEqualityComparer.Instance);
        var values = new BoundValue[models.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var section = models[i].Parameters;
            if (sections.TryGetValue(section, out values[i]) && section.Items.Count > 0)
                continue;
            var own = section.Find(parameter.Name);
            if (own is null && global is null && parameter.Required)
                Missing(parameter, models[i].Model.Line, models[i].Model.Text);
            sections[section] = values[i] = own is not null ? Read(parameter, own) : forAll ?? Default(parameter);
        }
        return new(parameter, values);
    }

    private static BoundValue Default(ParameterSchema parameter) => new(parameter.Default, null);

    private void Missing(ParameterSchema parameter, int line, string? model) => _findings.Error(line,
        $"{_method} needs '{parameter.Name}'{(model is null ? "" : $" for {RecipeText.Quote(model)}")}",
        parameter.Expected,
        $"Give it below 'parameters:'{(parameter.IsPerModel ? " of the model or of the recipe" : " of the recipe")}.");

    private BoundValue Read(ParameterSchema parameter, RecipeParameter given)
    {
        switch (given.Value)
        {
            case ParameterScalar { IsNull: true } when parameter.IsNullable:
                return new(null, given.Value.Line);
            case ParameterScalar scalar when !parameter.IsArray:
                return new(ReadScalar(parameter, scalar, parameter.Name), scalar.Line);
            case ParameterList list when parameter.IsArray:
                return new(ReadArray(parameter, list), list.Line);
            case ParameterList list:
                _findings.Error(list.Line, $"'{parameter.Name}' is a list: a gradient over the layers is not supported yet",
                    parameter.Expected);
                break;
            case ParameterFilters filters:
                _findings.Error(filters.Line, $"'{parameter.Name}' has filters: values by tensor name are not supported yet",
                    parameter.Expected);
                break;
            default:
                _findings.Error(given.Value.Line, $"'{parameter.Name}' is no list", parameter.Expected);
                break;
        }
        return Default(parameter);
    }

    private Array ReadArray(ParameterSchema parameter, ParameterList list)
    {
        var items = Array.CreateInstance(parameter.ClrType.GetElementType()!, list.Items.Count);
        for (var i = 0; i < items.Length; i++)
        {
            if (ReadScalar(parameter, list.Items[i], $"{parameter.Name}[{i}]") is { } item)
                items.SetValue(item, i);
        }
        return items;
    }

    private object? ReadScalar(ParameterSchema parameter, ParameterScalar scalar, string name)
    {
        if (!scalar.IsNull && ParameterText.TryRead(scalar, parameter.ScalarType, parameter.Bounds, out var value))
            return value;
        var fix = parameter.ScalarType.IsEnum
            ? NearestMatch.Question(scalar.Text, ParameterText.EnumNames(parameter.ScalarType))
            : scalar.Quoted ? "In quotes it is text: take them off." : null;
        _findings.Error(scalar.Line, scalar.IsNull ? $"'{name}' has no value"
            : $"'{name}' is {RecipeText.Quote(scalar.Text)}",
            parameter.Expected, fix);
        return null;
    }
}

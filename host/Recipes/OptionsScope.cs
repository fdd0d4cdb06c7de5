namespace Merge.Recipes;

/// <summary>
/// The options of the tensors of one slice. A value comes from the model's own parameters, else the slice's, else the
/// module's, else the recipe's, else it is the default; a section whose filters do not match the tensor is passed over.
/// </summary>
/// <param name="binder">Has read the sections.</param>
/// <param name="models">The method's models in order.</param>
/// <param name="shared">The sections of all models, innermost first.</param>
internal sealed class OptionsScope(
    OptionsBinder binder, IReadOnlyList<RecipeModel> models, IReadOnlyList<RecipeParameters> shared)
{
    private readonly Dictionary<Values, BoundOptions> _known = [];

    /// <summary>The final options of a tensor: one object for all tensors of the same values from the same lines.</summary>
    /// <param name="tensor">Its name in the output: what filters of a value for all models look at.</param>
    /// <param name="inputs">Its name in each model: what filters of a value per model look at.</param>
    /// <param name="t">Where its layer stands in the slice, from 0 to 1.</param>
    public BoundOptions For(string tensor, IReadOnlyList<string> inputs, double t)
    {
        var parameters = binder.Schema.Parameters.Select(p => Bind(p, tensor, inputs, t)).ToArray();
        var key = new Values([.. parameters.SelectMany(p => p.Values)]);
        if (!_known.TryGetValue(key, out var options))
            _known[key] = options = new(binder.Schema, parameters);
        return options;
    }

    /// <summary>The values, one a model, of a parameter that cannot depend on the tensor.</summary>
    public IReadOnlyList<BoundValue> ForAll(ParameterSchema parameter) =>
        Bind(parameter, "", [.. models.Select(_ => "")], 0).Values;

    private BoundParameter Bind(ParameterSchema parameter, string tensor, IReadOnlyList<string> inputs, double t) =>
        new(parameter, parameter.IsPerModel
            ? [.. models.Select((m, i) => Find(parameter, m, inputs[i], t))]
            : [Find(parameter, null, tensor, t)]);

    private BoundValue Find(ParameterSchema parameter, RecipeModel? model, string tensor, double t)
    {
        foreach (var section in model is null ? shared : shared.Prepend(model.Parameters))
        {
            if (binder.Rule(section, parameter.Name)?.At(tensor, t) is { } value)
                return value;
        }
        if (parameter.Required && !IsBroken(parameter, model))
            binder.Missing(parameter, model, tensor);
        return new(parameter.Default, null);
    }

    // It is given and wrong, which has been told already.
    private bool IsBroken(ParameterSchema parameter, RecipeModel? model) =>
        (model is null ? shared : shared.Prepend(model.Parameters))
            .Any(s => s.Find(parameter.Name) is not null && binder.Rule(s, parameter.Name) is null);

    private sealed record Values(IReadOnlyList<BoundValue> Items)
    {
        public bool Equals(Values? other) => other is not null && Items.SequenceEqual(other.Items);

        public override int GetHashCode() => Items.Aggregate(0, (hash, value) => HashCode.Combine(hash, value));
    }
}

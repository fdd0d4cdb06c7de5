using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>One parameter of the method that is searched, before it is known how many values it has.</summary>
/// <param name="Schema">The parameter.</param>
/// <param name="Given">What the recipe says of it.</param>
/// <param name="Low">Lowest value of the range that is looked at.</param>
/// <param name="High">Highest.</param>
internal sealed record SearchedOption(ParameterSchema Schema, SearchedParameter Given, double Low, double High)
{
    /// <summary>The line of values that stand in for required ones until a candidate brings its own.</summary>
    public const int NoLine = 0;

    // A search of one trial is how people ask for a score.
    private const string Unsearched = "To score models as they are: 'merge evaluate MODEL … --recipe RECIPE'.";

    public SearchScale Scale => Given.Scale ?? Schema.Searchable?.Scale ?? SearchScale.Linear;

    public bool IsInteger => Given.IsInteger ?? (Schema.ScalarType != typeof(double));

    public bool IsPerModel => Schema.IsPerModel && (Given.Per is null || Given.Per.Contains("model"));

    public bool IsPerLayers => Given.Per is null || Given.Per.Contains("layers");

    public bool IsPerFilter => Given.Per is null || Given.Per.Contains("filters");

    /// <summary>A dimension of the space, by the name it gets there.</summary>
    public SearchDimension Dimension(string name, int? model, string? group)
    {
        var bounds = Schema.Bounds!;
        var isReal = Schema.ScalarType == typeof(double);
        var minimum = bounds.LowIncluded || double.IsInfinity(bounds.Low) ? bounds.Low
            : isReal ? Math.BitIncrement(bounds.Low) : Math.Floor(bounds.Low) + 1;
        var maximum = bounds.HighIncluded || double.IsInfinity(bounds.High) ? bounds.High
            : isReal ? Math.BitDecrement(bounds.High) : Math.Ceiling(bounds.High) - 1;
        // What a person writes down as the range is not left; the method's own range is only where to begin.
        var isLimit = Given is { Range: not null, IsOpen: false };
        return new(name, Schema.Name, Low, High)
        {
            Model = model,
            Group = group,
            Scale = Scale,
            IsInteger = IsInteger,
            Minimum = isLimit ? Math.Max(minimum, Low) : minimum,
            Maximum = isLimit ? Math.Min(maximum, High) : maximum,
        };
    }

    /// <summary>Those a recipe asks for; without a <c>space:</c> all that the method marks.</summary>
    /// <exception cref="MergeException">Everything that is wrong with them.</exception>
    public static IReadOnlyList<SearchedOption> Of(OptionsSchema schema, SearchRecipe search, string method, string recipePath)
    {
        var findings = new RecipeFindings(recipePath);
        var searchable = schema.Parameters.Where(p => p.Searchable is not null).ToArray();
        if (search.Space.Count == 0 && searchable.Length == 0)
        {
            findings.Error(search.SearcherLine, $"{method} has no parameter that is marked as searchable", null,
                Numbers(schema) is { Length: > 0 } numbers
                    ? $"Say where to look, below 'search: space:', for {RecipeText.OneOf(numbers)}. {Unsearched}"
                    : $"Choose another method. {Unsearched}");
        }
        var asked = search.Space.Count > 0
            ? search.Space : [.. searchable.Select(p => new SearchedParameter(p.Name, search.SearcherLine))];
        SearchedOption[] options = [.. asked.Select(a => Read(schema, a, search, method, findings)).OfType<SearchedOption>()];
        findings.ThrowIfAny();
        return options;
    }

    /// <summary>A recipe in which the searched parameters that are required and not given have a value.</summary>
    public static Recipe Complete(Recipe recipe, IReadOnlyList<SearchedOption> searched) => recipe with
    {
        Parameters = new(
        [
            .. recipe.Parameters.Items,
            .. searched.Where(s => s.Schema.Required && recipe.Parameters.Find(s.Schema.Name) is null)
                .Select(s => new RecipeParameter(s.Schema.Name, new ParameterScalar(
                    NumberText.Of(s.Dimension("", null, null).At(0.5)), Quoted: false, NoLine), NoLine)),
        ]),
    };

    private static string[] Numbers(OptionsSchema schema) => [.. schema.Parameters.Where(IsNumber).Select(p => p.Name)];

    private static bool IsNumber(ParameterSchema parameter) => parameter.Bounds is not null && !parameter.IsArray;

    private static SearchedOption? Read(
        OptionsSchema schema, SearchedParameter asked, SearchRecipe search, string method, RecipeFindings findings)
    {
        if (schema.Find(asked.Name) is not { } parameter)
        {
            var numbers = Numbers(schema);
            findings.Error(asked.Line, $"{method} has no parameter {RecipeText.Quote(asked.Name)} to search",
                numbers.Length == 0 ? null : RecipeText.OneOf(numbers), NearestMatch.Question(asked.Name, numbers));
            return null;
        }
        if (!IsNumber(parameter))
        {
            findings.Error(asked.Line, $"'{asked.Name}' cannot be searched: it is no number", null, parameter.Text);
            return null;
        }
        if (asked.Range is null && parameter.Searchable is null)
        {
            findings.Error(asked.Line, $"{method} does not say where to look for '{asked.Name}'",
                $"a range within {parameter.Bounds!.Text}, such as '{asked.Name}: [0, 1]'");
            return null;
        }
        var (low, high) = asked.Range ?? (parameter.Searchable!.Low, parameter.Searchable.High);
        var option = new SearchedOption(parameter, asked, low, high);
        foreach (var end in new[] { low, high }.Where(end => !parameter.Bounds!.Contains(end)))
            findings.Error(asked.Line, $"the range of '{asked.Name}' ends at {NumberText.Of(end)}", parameter.Expected);
        if (option.Scale is SearchScale.Logarithmic && low <= 0)
            findings.Error(asked.Line, $"the range of '{asked.Name}' begins at {NumberText.Of(low)} on a logarithmic scale", "a positive range");
        if (asked.Per?.Contains("model") is true && !parameter.IsPerModel)
            findings.Error(asked.Line, $"'{asked.Name}' has one value for all models, not one per model");
        if (asked.Per?.Contains("layers") is true && search.LayerGroups is null && search.LayersPerGroup is null)
            findings.Error(asked.Line, $"'{asked.Name}' is to have a value per group of layers, and there are none", "'layer_groups: ' and a number");
        if (asked.Per?.Contains("filters") is true && search.Filters.Count == 0)
            findings.Error(asked.Line, $"'{asked.Name}' is to have a value per filter, and there are none", "'filters: ' and a list");
        return option;
    }
}

using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// What a search may choose of a planned merge: the searched parameters, a value each for all tensors or for every
/// model, group of layers and filter.
/// </summary>
internal sealed class SpaceOfOptions
{
    private readonly SearchRecipe _search;
    private readonly LayerGroups _groups;

    private SpaceOfOptions(SearchRecipe search, LayerGroups groups, int models, IReadOnlyList<OptionValues> values) =>
        (_search, _groups, Models, Values) = (search, groups, models, values);

    /// <summary>How many values a parameter per model has.</summary>
    public int Models { get; }

    /// <summary>One for each searched parameter, in the order of the space.</summary>
    public IReadOnlyList<OptionValues> Values { get; }

    public SearchSpace Space { get; private set; } = null!;

    /// <summary>The space's values and those that follow from them.</summary>
    public WholePoint Whole => new([.. Space.Dimensions.Select(d => d.Name)]);

    public bool IsSmooth => _search.IsSmooth && _groups.Count > 1;

    /// <summary>Whether a tensor's name decides any of its values.</summary>
    public bool DependsOnTensor => Values.Any(v => v.Groups > 1 || v.Filters > 1);

    /// <summary>All of it in words: equal where it is.</summary>
    public string Description => string.Join("; ", Space.Dimensions.Select(d =>
        $"{d.Name} {NumberText.Of(d.Low)}..{NumberText.Of(d.High)} within {NumberText.Of(d.Minimum)}..{NumberText.Of(d.Maximum)}"
        + (d.Scale is SearchScale.Logarithmic ? " log" : "") + (d.IsInteger ? " whole" : "")
        + (d.Start is { } start ? $" from {NumberText.Of(start)}" : "")));

    public IReadOnlyList<string> Filters => _search.Filters;

    /// <summary>The space over a plan.</summary>
    /// <exception cref="MergeException">Everything that is asked for and cannot be.</exception>
    public static SpaceOfOptions Of(MergePlan plan, IReadOnlyList<SearchedOption> options, SearchRecipe search, Recipe recipe)
    {
        var findings = new RecipeFindings(recipe.Path);
        TensorPlan[] merged = [.. plan.Tensors.Where(t => !t.IsCopied)];
        string[] names = [.. merged.Select(t => t.Info.Name)];
        var groups = LayerGroups.Of(names, search, findings);
        var models = Count(plan, merged, options, search, findings);
        if ((search.LayerGroups ?? search.LayersPerGroup) is not null || search.Filters.Count > 0)
            CheckWhole(recipe, search, findings);
        foreach (var filter in search.Filters.Where(f => !names.Any(n => FilterRule.Matches(f, n))))
            findings.Error(search.SearcherLine, $"the filter {RecipeText.Quote(filter)} of 'search' matches no tensor");
        findings.ThrowIfAny();

        var values = new List<OptionValues>();
        foreach (var option in options)
        {
            var count = option.IsPerLayers ? groups.Count : 1;
            var first = option is { IsPerModel: true, Schema.Searchable.ExceptFirst: true } ? 1 : 0;
            values.Add(new(option, values.Sum(v => v.Count), option.IsPerModel ? models - first : 0, first, count,
                option.IsPerFilter ? search.Filters.Count + 1 : 1, search.IsSmooth && count > 1));
        }
        var space = new SpaceOfOptions(search, groups, models, values);
        space.Space = new SearchSpace([.. values.SelectMany(v => space.Dimensions(v, merged))], models);
        return space;
    }

    /// <summary>Where a tensor of this name belongs.</summary>
    public Cell CellOf(string tensor, int rank)
    {
        var filter = 0;
        while (filter < _search.Filters.Count && !FilterRule.Matches(_search.Filters[filter], tensor))
            filter++;
        return new(_groups.Of(tensor, rank), filter);
    }

    /// <summary>A point as names and values, in the order of the space.</summary>
    public IReadOnlyDictionary<string, double> Named(IReadOnlyList<double> point) =>
        Space.Dimensions.Zip(point).ToDictionary(d => d.First.Name, d => d.Second);

    private IEnumerable<SearchDimension> Dimensions(OptionValues values, TensorPlan[] merged)
    {
        for (var model = values.FirstModel; model < values.FirstModel + Math.Max(values.Models, 1); model++)
        {
            for (var group = 0; group < values.Groups; group++)
            {
                for (var filter = 0; filter < values.Filters; filter++)
                {
                    var place = Place(values, group, filter);
                    var name = values.Option.Schema.Name + (values.Models > 0 ? $"[{model}]" : "")
                        + (place is null ? "" : $"/{place}");
                    var dimension = values.Option.Dimension(name, values.Models > 0 ? model : null, place);
                    yield return dimension with
                    {
                        Start = Start(values, model, new(group, filter), merged) is { } given ? dimension.Nearest(given) : null,
                    };
                }
            }
        }
    }

    private string? Place(OptionValues values, int group, int filter)
    {
        var layers = values.Groups > 1 ? _groups.Name(group) : null;
        var part = values.Filters == 1 ? null : filter < _search.Filters.Count ? _search.Filters[filter] : "rest";
        return layers is null ? part : part is null ? layers : $"{layers}/{part}";
    }

    /// <summary>The recipe's own value: that of the first tensor the number is for.</summary>
    private double? Start(OptionValues values, int model, Cell cell, TensorPlan[] merged)
    {
        var tensor = merged.FirstOrDefault(t => CellOf(t.Info.Name, t.Info.Rank) is var own
            && (values.Groups == 1 || own.Group == cell.Group) && (values.Filters == 1 || own.Filter == cell.Filter));
        var bound = tensor?.Values.FirstOrDefault(v => v.Schema.Name == values.Option.Schema.Name);
        return bound?.Values[bound.Schema.IsPerModel ? model : 0] is { Line: > SearchedOption.NoLine, Value: { } value }
            ? Convert.ToDouble(value) : null;
    }

    private static int Count(
        MergePlan plan, TensorPlan[] merged, IReadOnlyList<SearchedOption> options, SearchRecipe search, RecipeFindings findings)
    {
        var perModel = options.Where(o => o.Schema.IsPerModel).Select(o => o.Schema.Name).ToHashSet();
        var counts = merged.SelectMany(t => t.Values).Where(v => perModel.Contains(v.Schema.Name))
            .Select(v => v.Values.Count).Distinct().ToArray();
        if (counts.Length > 1)
        {
            findings.Error(search.SearcherLine, $"parts of the model are made of {string.Join(" and ", counts)} models, "
                + $"and '{perModel.First()}' has a value per model", "as many models in every slice and module");
        }
        if (merged.FirstOrDefault(t => counts.Length == 1 && t.Models.Length != counts[0]) is { } fewer && perModel.Count > 0)
        {
            findings.Error(search.SearcherLine, $"'{fewer.Info.Name}' is of {fewer.Models.Length} models only, and a search needs all of them",
                "models with the same tensors");
        }
        return counts.Length == 0 ? plan.Models.Count : counts[0];
    }

    private static void CheckWhole(Recipe recipe, SearchRecipe search, RecipeFindings findings)
    {
        if (recipe.Slices.Count > 0 || recipe.Modules.Count > 0)
        {
            findings.Error(search.SearcherLine, "groups of layers and filters are searched in whole models only", "'models'",
                "Leave out 'layer_groups', 'layers_per_group' and 'filters', or list the models whole.");
        }
    }
}

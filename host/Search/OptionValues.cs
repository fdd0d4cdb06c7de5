using Merge.Recipes;

namespace Merge.Search;

/// <summary>Where the values of one searched parameter stand in a point: model by model, group by group, filter by filter.</summary>
/// <param name="Option">The parameter.</param>
/// <param name="First">Its first value's place.</param>
/// <param name="Models">Models with a value of their own; 0 where one holds for all.</param>
/// <param name="FirstModel">The first of them: 1 where the first model's value follows from the others'.</param>
/// <param name="Groups">Groups of layers with values of their own.</param>
/// <param name="Filters">Filters with values of their own, that for everything else included.</param>
/// <param name="IsSmooth">Whether the groups' values are points of a gradient.</param>
internal sealed record OptionValues(SearchedOption Option, int First, int Models, int FirstModel, int Groups, int Filters, bool IsSmooth)
{
    public int Count => Math.Max(Models, 1) * Groups * Filters;

    /// <summary>Whether the search chooses this model's value.</summary>
    public bool IsOf(int model) => Models == 0 || model >= FirstModel;

    /// <summary>Where the value of a model that the search chooses stands in a point.</summary>
    public int PlaceOf(int model, int group, int filter) =>
        First + (((Models == 0 ? 0 : model - FirstModel) * Groups + Math.Min(group, Groups - 1)) * Filters)
        + Math.Min(filter, Filters - 1);

    /// <summary>The value for a tensor, as the recipe's rules have it.</summary>
    /// <param name="point">The point.</param>
    /// <param name="model">The model; of no matter where one value holds for all.</param>
    /// <param name="cell">Where the tensor belongs.</param>
    /// <param name="t">Where its layer stands, from 0 to 1.</param>
    public object At(IReadOnlyList<double> point, int model, Cell cell, double t)
    {
        if (!IsSmooth)
            return Typed(point[PlaceOf(model, cell.Group, cell.Filter)]);
        double[] points = [.. Enumerable.Range(0, Groups).Select(g => point[PlaceOf(model, g, cell.Filter)])];
        ParameterRule rule = Option.Schema.ScalarType == typeof(double)
            ? new GradientRule(points, SearchedOption.NoLine)
            : new StepsRule([.. points.Select(Typed)], SearchedOption.NoLine);
        return rule.At("", t)!.Value.Value!;
    }

    private object Typed(double value)
    {
        var type = Option.Schema.ScalarType;
        return type == typeof(double) ? value : type == typeof(int) ? (int)value : (object)(long)value;
    }
}

/// <summary>The group of layers and the filter that decide a tensor's values.</summary>
internal readonly record struct Cell(int Group, int Filter);

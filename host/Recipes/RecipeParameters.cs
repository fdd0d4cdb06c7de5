namespace Merge.Recipes;

/// <summary>What a recipe gives for one parameter.</summary>
internal abstract record ParameterValue(int Line);

/// <summary>One value.</summary>
/// <param name="Quoted">Written in quotes: text, whatever it looks like.</param>
internal sealed record ParameterScalar(string Text, bool Quoted, int Line) : ParameterValue(Line)
{
    /// <summary>Nothing, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";
}

/// <summary>Several values: those of an array, or a gradient over the layers.</summary>
internal sealed record ParameterList(IReadOnlyList<ParameterScalar> Items, int Line) : ParameterValue(Line);

/// <summary>Values by tensor name: the first filter that matches wins.</summary>
internal sealed record ParameterFilters(IReadOnlyList<ParameterFilter> Items, int Line) : ParameterValue(Line);

/// <param name="Filter">A part of the tensor's name; null matches every tensor.</param>
/// <param name="Value">A scalar or a gradient.</param>
internal sealed record ParameterFilter(string? Filter, ParameterValue Value, int Line);

/// <param name="Line">The line of the name.</param>
internal sealed record RecipeParameter(string Name, ParameterValue Value, int Line);

/// <summary>One <c>parameters:</c> section, in the order of the file.</summary>
internal sealed record RecipeParameters(IReadOnlyList<RecipeParameter> Items)
{
    public static readonly RecipeParameters None = new([]);

    public RecipeParameter? Find(string name) => Items.FirstOrDefault(p => p.Name == name);
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Models that are merged with each other: whole, or some layers of each.</summary>
/// <param name="Base">The slice's own base, else the recipe's.</param>
internal sealed record ResolvedSlice(
    int Line, IReadOnlyList<ResolvedModel> Sources, ResolvedModel? Base, RecipeParameters Parameters)
{
    /// <summary>
    /// The models a method merges and its base, given what it does with one. The base's layers are those the slice
    /// lists it with, else those all sources agree on.
    /// </summary>
    /// <exception cref="MergeException">It cannot be told which layers of the base to take.</exception>
    public (IReadOnlyList<ResolvedModel> Models, ResolvedModel? Base) InputsFor(InputRole role, string recipePath)
    {
        if (Base is null || role is InputRole.Unused)
            return (Sources, null);
        var own = Sources.FirstOrDefault(s => s.Key == Base.Key)
            ?? Base with { Model = Base.Model with { Layers = CommonLayers(recipePath) } };
        // Of other layers, the same model is one among the models.
        var others = Sources.Where(s => s.Key != own.Key || s.Model.Layers != own.Model.Layers);
        return role is InputRole.Member ? ([own, .. others], null) : ([.. others], own);
    }

    private LayerRange? CommonLayers(string recipePath)
    {
        var ranges = Sources.Select(s => s.Model.Layers).Distinct().ToArray();
        if (ranges.Length == 1)
            return ranges[0];
        throw new MergeException(new Diagnostic(
            $"the sources are of different layers ({string.Join(", ", ranges)}), so it cannot be told which layers of the base " +
            $"{RecipeText.Quote(Base!.Model.Model.Text)} go with them")
        {
            Where = $"{recipePath}, line {Line}",
            Fix = "List the base among the sources, with its layer_range.",
        })
        { WrongUsage = true };
    }
}

using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>A part of the output model: everything, or a named module.</summary>
/// <param name="Name">As the recipe names it; null: the whole model.</param>
/// <param name="Line">The recipe's line.</param>
/// <param name="Slices">One without layer ranges where whole models are merged; else its layers, first to last.</param>
internal sealed record PlannedModule(string? Name, int Line, IReadOnlyList<PlannedSlice> Slices);

/// <summary>Models that are merged with each other, and how.</summary>
internal sealed record PlannedSlice
{
    /// <summary>The recipe's line.</summary>
    public int Line { get; init; }

    /// <summary>The method's models, in order; all with layers, or none.</summary>
    public required IReadOnlyList<PlannedSource> Sources { get; init; }

    /// <summary>The base, where the method uses one.</summary>
    public PlannedSource? Base { get; init; }

    /// <summary>Their models are indexed as <see cref="Sources"/>.</summary>
    public IReadOnlyList<SideFile> SideFiles { get; init; } = [];

    /// <summary>The strategy's options for a tensor.</summary>
    public required Func<TensorPlace, object> Options { get; init; }

    /// <summary>The values in those options, and the recipe lines they come from.</summary>
    public Func<TensorPlace, IReadOnlyList<BoundParameter>> Values { get; init; } = _ => [];

    public bool IsWhole => Sources[0].Layers is null;

    /// <summary>The models, then the base.</summary>
    public IEnumerable<PlannedSource> Inputs => Base is null ? Sources : Sources.Append(Base);
}

/// <summary>A model of a slice.</summary>
/// <param name="Layers">Null: all of it.</param>
internal sealed record PlannedSource(PlannedModel Model, LayerRange? Layers);

/// <summary>A tensor of the output, as its options depend on it.</summary>
/// <param name="Inputs">Its name in each of the slice's models.</param>
/// <param name="T">Where its layer stands in its slice, from 0 to 1; 0 outside the layers.</param>
internal sealed record TensorPlace(TensorInfo Tensor, IReadOnlyList<string> Inputs, double T);

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>What a recipe's <c>search:</c> section asks for.</summary>
/// <param name="Searcher">The id of the searcher.</param>
/// <param name="SearcherLine">Where it stands.</param>
internal sealed record SearchRecipe(string Searcher, int SearcherLine)
{
    public const int DefaultTrials = 100;

    public const int DefaultPatience = 10;

    public const int DefaultRescored = 10;

    /// <summary>The searcher's own parameters.</summary>
    public RecipeParameters Options { get; init; } = RecipeParameters.None;

    /// <summary>Points to evaluate in all.</summary>
    public int Trials { get; init; } = DefaultTrials;

    public ulong Seed { get; init; }

    /// <summary>The parameters to search; empty: every one the method marks as searchable.</summary>
    public IReadOnlyList<SearchedParameter> Space { get; init; } = [];

    /// <summary>Groups that each stack of layers is cut into; null: none, or <see cref="LayersPerGroup"/>.</summary>
    public int? LayerGroups { get; init; }

    /// <summary>Consecutive layers of a group.</summary>
    public int? LayersPerGroup { get; init; }

    /// <summary>Whether the groups' values are points of a gradient over the layers instead of steps.</summary>
    public bool IsSmooth { get; init; }

    /// <summary>Parts of tensor names with values of their own; the first that matches a name wins.</summary>
    public IReadOnlyList<string> Filters { get; init; } = [];

    /// <summary>Which trial becomes the result.</summary>
    public FinalPick Final { get; init; }

    /// <summary>How many of the best are scored on the report split, too, to see what the choice owes to luck.</summary>
    public int Rescored { get; init; } = DefaultRescored;

    /// <summary>Whether the single models are scored, too.</summary>
    public bool ScoresIngredients { get; init; } = true;

    /// <summary>Evaluations that fail one after the other before the search stops.</summary>
    public int Patience { get; init; } = DefaultPatience;
}

/// <summary>How the result is chosen.</summary>
internal enum FinalPick
{
    /// <summary>The best score on the selection split.</summary>
    Selection,
    /// <summary>Of the best twenty, the one that scores best on a second split (LCSC's protocol).</summary>
    Rescored,
}

/// <summary>What a recipe says of one parameter to search.</summary>
/// <param name="Name">The method's parameter.</param>
/// <param name="Line">Where it stands.</param>
internal sealed record SearchedParameter(string Name, int Line)
{
    /// <summary>Where to look instead of the method's own range.</summary>
    public (double Low, double High)? Range { get; init; }

    /// <summary>Whether the search may leave <see cref="Range"/>.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Null: the method's.</summary>
    public SearchScale? Scale { get; init; }

    /// <summary>Whether only whole numbers are tried; null: as the parameter's type has it.</summary>
    public bool? IsInteger { get; init; }

    /// <summary>What has values of its own; null: all that can.</summary>
    public IReadOnlySet<string>? Per { get; init; }
}

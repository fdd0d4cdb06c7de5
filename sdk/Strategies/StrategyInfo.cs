namespace Merge.Sdk;

/// <summary>How a method presents itself.</summary>
/// <param name="Id">Its name in a recipe (<c>merge_method</c>): lower case, digits, <c>_</c> or <c>-</c>.</param>
/// <param name="Name">Its name in print.</param>
/// <param name="Paper">Where the formula comes from, for example <c>arXiv:2306.01708</c>.</param>
/// <param name="Base">What it does with the base model.</param>
/// <param name="MinModels">Fewest models it takes, the base not counted.</param>
/// <param name="MaxModels">Most models it takes, the base not counted.</param>
/// <param name="Formula">One line of plain text a user can check against the paper.</param>
public sealed record StrategyInfo(
    string Id,
    string Name,
    string? Paper = null,
    InputRole Base = InputRole.Unused,
    int MinModels = 1,
    int MaxModels = int.MaxValue,
    string? Formula = null);

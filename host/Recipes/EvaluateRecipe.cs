namespace Merge.Recipes;

/// <summary>What <c>evaluate:</c> says: who scores candidates, and how.</summary>
/// <param name="Kind">Who scores.</param>
/// <param name="Arguments">Of a command or a worker: the program and its arguments, placeholders unfilled; else
/// empty.</param>
/// <param name="Plugin">The evaluator's id, of a plugin; else null.</param>
/// <param name="Line">Of the section.</param>
internal sealed record EvaluateRecipe(EvaluatorKind Kind, IReadOnlyList<string> Arguments, string? Plugin, int Line)
{
    /// <summary>A plugin's options.</summary>
    public RecipeParameters Options { get; init; } = RecipeParameters.None;

    /// <summary>What one attempt to score may take; null: as long as it likes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Attempts after a failed one.</summary>
    public int Retries { get; init; }

    /// <summary>How many candidates are scored at once; null: one by a program, as many as processors by a
    /// plugin.</summary>
    public int? Workers { get; init; }

    /// <summary>Variables beside those of this process: one map for all workers, or one a worker; may be
    /// empty.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Environment { get; init; } = [];

    public CandidatesRecipe Candidates { get; init; } = new();
}

/// <summary>Who scores.</summary>
internal enum EvaluatorKind
{
    /// <summary>A program started for every candidate.</summary>
    Command,
    /// <summary>A program started once.</summary>
    Worker,
    /// <summary>Code in this process.</summary>
    Plugin,
}

/// <summary>Where candidates wait for their scores.</summary>
/// <param name="Place">Memory or disk.</param>
/// <param name="Folder">On disk: the folder they are written below, as the recipe has it; null: the search's.</param>
/// <param name="Quota">Bytes all of them may take together; null: what is free, less a reserve.</param>
internal sealed record CandidatesRecipe(
    CandidatesIn Place = CandidatesIn.Auto, string? Folder = null, long? Quota = null, int Line = 0);

/// <summary>A medium for candidates.</summary>
internal enum CandidatesIn
{
    /// <summary>Memory where they fit, else disk.</summary>
    Auto,
    Memory,
    Disk,
}

/// <summary>Names of the splits, as the evaluator gets them.</summary>
/// <param name="Selection">What choices are made on.</param>
/// <param name="Report">What is never chosen on; null: the evaluation has no such split.</param>
/// <param name="Final">What the final pick among the best is made on, where the search asks for one; else null.</param>
internal sealed record SplitsRecipe(string Selection = "selection", string? Report = "report", string? Final = null);

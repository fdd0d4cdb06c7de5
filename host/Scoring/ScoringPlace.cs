namespace Merge.Scoring;

/// <summary>Where scoring happens.</summary>
/// <param name="RecipePath">The recipe: programs run in its folder, and are named relative to it.</param>
/// <param name="Folder">The search's: takes <c>scores.jsonl</c> and <c>logs/</c>.</param>
internal sealed record ScoringPlace(string RecipePath, string Folder)
{
    /// <summary>What to do about a full disk: every trial that is in the journal, and every score in the cache, stays.</summary>
    public const string FullDisk = "Free space there, then go on with the search: what is done is kept.";

    public string RecipeFolder => Path.GetDirectoryName(Path.GetFullPath(RecipePath))!;

    public string Logs => Path.Combine(Folder, "logs");

    public string Cache => Path.Combine(Folder, "scores.jsonl");

    /// <summary>What the machine has room for.</summary>
    public CandidateMedia Media { get; init; } = new();
}

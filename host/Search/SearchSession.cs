using System.Security.Cryptography;
using System.Text;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// What a search needs while it runs: its plan and space, its journal, the evaluator, and room for candidates. Everything
/// that can be wrong with a recipe is told before anything is started.
/// </summary>
internal sealed class SearchSession : IDisposable
{
    // Of one generation; where as many do not fit, they are merged in several passes.
    private const int WantedAtOnce = 32;

    private readonly GenerationMerge _merge;
    private readonly CandidatePlace _place;
    private readonly Scorer _scorer;
    private readonly ModelScorer _models;

    private SearchSession(
        SearchRequest request, string kind, PlannedSpace planned, TrialJournal journal, Scorer scorer, CandidatePlace place, string digest)
    {
        IsSearch = kind == SearchSection.Key;
        (Request, Planned, Journal, _scorer, _place) = (request, planned, journal, scorer, place);
        _models = new(scorer, new(place, scorer.Workers));
        _merge = new(planned.Plan, request.Settings);
        Points = new PointScorer(
            planned, _merge, place, scorer, request.Recipe.Objective!.Terms.Select(t => t.Metric).ToHashSet(), digest);
    }

    public SearchRequest Request { get; }

    /// <summary>Whether numbers are searched; else models are chosen.</summary>
    public bool IsSearch { get; }

    public Recipe Recipe => Request.Recipe;

    public PlannedSpace Planned { get; }

    public TrialJournal Journal { get; }

    public Objective Objective => _scorer.Objective;

    /// <summary>The base that the recipe names, unless it is one of the models; of adapters none, which have no score without theirs.</summary>
    public Checkpoint? Base => Planned.Plan is { Adapter: null } plan
        && (plan.Base ?? (Planned.Resolved.Base is null ? null : plan.Donor)) is { } named && plan.Models.All(m => m.Key != named.Key)
        ? named : null;

    public IPointScorer Points { get; }

    /// <summary>Where candidates wait, in words.</summary>
    public string Place => $"{_place.Place}, {_place.Fits} at once";

    /// <param name="request">What is asked for.</param>
    /// <param name="search">What of the recipe is searched.</param>
    /// <param name="kind">What is done: <c>search</c> or <c>soup</c>.</param>
    /// <param name="plugins">The plugins, beside that of the method, that decide what is asked, by what they do.</param>
    /// <exception cref="MergeException">What is wrong with recipe, models, journal or evaluator.</exception>
    public static SearchSession Open(
        SearchRequest request, SearchRecipe search, string kind, IEnumerable<(string Item, string Digest)> plugins)
    {
        CheckSections(request.Recipe, kind);
        request.Folder.Check(request.Resume, kind);
        PlannedSpace? planned = null;
        TrialJournal? journal = null;
        Scorer? scorer = null;
        try
        {
            planned = PlannedSpace.Of(request.Recipe, search, request.Plugins, request.Planner(), request.ModelDirs);
            request = request with { Settings = MatrixRoom.Fit(planned.Plan, request.Settings) };
            if (planned.Plan.Adapter is not null)
                request = request with { Settings = AdapterRoom.Fit(planned.Plan, request.Settings) };
            request.Folder.CheckInputs(planned.Plan);
            var identity = SearchIdentity.Of(kind, request.Recipe, planned.Plan, ToolVersion.Text,
                [("method's plugin", planned.Plan.Plugin.Digest), ("space", planned.Options.Description), .. plugins]);
            var evaluate = request.Recipe.Evaluate!;
            journal = TrialJournal.Open(
                request.Folder.Path, identity, [.. planned.Space.Dimensions.Select(d => d.Name)], new(request.Recipe.Objective!),
                planned.ModelNames);
            scorer = Scorer.Open(evaluate, request.Recipe.Objective!, request.Plugins, new(request.Recipe.Path, request.Folder.Path));
            var place = CandidatePlace.Open(planned.Plan, evaluate.Candidates, scorer.NeedsFolder, request.Folder.Path,
                request.Recipe.Path, WantedAtOnce);
            return new(request, kind, planned, journal, scorer, place, DigestOf(identity));
        }
        catch
        {
            journal?.Dispose();
            scorer?.Dispose();
            planned?.Dispose();
            throw;
        }
    }

    /// <summary>The base as the recipe names it; only where it is there.</summary>
    public string BaseName => Planned.Resolved.Base?.Model.Model.Text ?? Base!.Path;

    /// <summary>The score of a model that is there already, as it is.</summary>
    public Task<TrialScore> ScoreIngredient(int model, string split, CancellationToken cancellation)
    {
        // An adapter that is merged with adapters is scored as what it is, not as the task vector the method sees.
        var adapter = Planned.Plan.Adapter?.Adapters[model];
        var checkpoint = adapter?.Checkpoint ?? Planned.Plan.Models[model];
        var folder = adapter is null ? checkpoint.Folder : Directory.Exists(adapter.Path) ? adapter.Path : null;
        return _models.Score(checkpoint, folder, $"model-{model:000}", split, cancellation);
    }

    /// <summary>The base model's score, as it is; only where <see cref="Base"/> is there.</summary>
    public Task<TrialScore> ScoreBase(string split, CancellationToken cancellation) =>
        _models.Score(Base!, Base!.Folder, "base-model", split, cancellation);

    public void Dispose()
    {
        _merge.Dispose();
        _place.Dispose();
        _scorer.Dispose();
        Journal.Dispose();
        Planned.Dispose();
    }

    /// <exception cref="MergeException">The recipe lacks what every search needs.</exception>
    public static void CheckSections(Recipe recipe, string kind)
    {
        var findings = new RecipeFindings(recipe.Path);
        if (recipe.Evaluate is null)
        {
            findings.Error(recipe.Line, "the recipe does not say how a candidate is scored: it has no 'evaluate:'",
                "'evaluate: {command: [python3, eval.py, \"{candidate}\"]}', or 'worker:', or 'plugin:'", $"docs/searching.md shows all three, for 'merge {kind}'.");
        }
        if (recipe.Objective is null)
            findings.Error(recipe.Line, "the recipe does not say what is looked for: it has no 'objective:'", "'objective: {maximize: accuracy}'");
        if (recipe.Search is { Final: FinalPick.Rescored } search && recipe.Splits.Final is null)
        {
            findings.Error(search.SearcherLine, "'final: rescored' picks among the best on a split of its own, and there is none",
                "'splits: {final: …}'", "The report split cannot be it: what chooses cannot report.");
        }
        findings.ThrowIfAny();
    }

    // What is tried, and how it is scored, decides no weights.
    private static string DigestOf(IReadOnlyList<(string Item, string Value)> identity) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Join('\n', identity.Where(i => i.Item != "kind" && !SearchSection.All.Contains(i.Item))
            .Select(i => $"{i.Item}={i.Value}")))));
}

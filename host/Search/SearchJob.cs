using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Trust;

namespace Merge.Search;

/// <summary>What a search has come to.</summary>
internal sealed record SearchOutcome(IReadOnlyList<Trial> Trials)
{
    /// <summary>What became the result; null where every trial failed.</summary>
    public Trial? Best { get; init; }

    /// <summary>The result on the report split; null where there is none.</summary>
    public TrialScore? Report { get; init; }

    /// <summary>The best trials on the report split, best first.</summary>
    public IReadOnlyList<RescoredPoint> Rescored { get; init; } = [];

    public IReadOnlyList<IngredientScore> Ingredients { get; init; } = [];

    /// <summary>What else the result is measured against.</summary>
    public IReadOnlyList<IngredientScore> Baselines { get; init; } = [];

    /// <summary>The result against the best single model and the baselines; on the report split where there is one.</summary>
    public IReadOnlyList<Comparison> Comparisons { get; init; } = [];

    public SignalNoise? Noise { get; init; }

    /// <summary>Whether the searcher was at its end before the trials were.</summary>
    public bool IsExhausted { get; init; }

    /// <summary>What a reader should know before believing the rest.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}

/// <summary><c>merge search</c>: tries points, looks at the best once more, makes the model and the report.</summary>
internal sealed class SearchJob(SearchRequest request)
{
    // LCSC's own protocol (METHODS: the final pick is the best of the top 20 on a second split).
    private const int FinalCandidates = 20;

    private readonly SearchRecipe _search = request.Recipe.Search ?? throw NoSearch(request.Recipe);

    /// <summary>What would be searched; nothing is opened for evaluation.</summary>
    /// <exception cref="MergeException">What is wrong with recipe, models or space.</exception>
    public PlannedSpace Plan()
    {
        _ = Searcher();
        return PlannedSpace.Of(request.Recipe, _search, request.Plugins, request.Planner(), request.ModelDirs);
    }

    /// <summary>Opens everything; disposed by whoever asks.</summary>
    /// <exception cref="MergeException">What is wrong before anything is evaluated.</exception>
    public SearchSession Open()
    {
        SearcherEntry? searcher = null;
        Together(() => searcher = Searcher().Entry, () => SearchSession.CheckSections(request.Recipe, "search"));
        var session = SearchSession.Open(request, _search, "search", [("searcher's plugin", searcher!.Plugin.Digest)]);
        if (session.Journal.Trials.Count <= _search.Trials)
            return session;
        using (session)
            throw FewerTrials(session.Journal.Trials.Count);
    }

    // The result would be replaced by the best of some of them.
    private MergeException FewerTrials(int known) => new(new Diagnostic(
        $"the search has {known} trials already, and the recipe asks for {_search.Trials}")
    {
        Where = $"{request.Recipe.Path}, line {_search.SearcherLine}",
        Fix = $"Write 'trials: {known}' or more, or search in another folder.",
    })
    { WrongUsage = true };

    public async Task<SearchOutcome> Run(SearchSession session, CancellationToken cancellation)
    {
        var progress = request.Progress;
        progress.Total = _search.Trials;
        var splits = request.Recipe.Splits;
        var (entry, options) = Searcher();
        var random = new SearchRandom(_search.Seed);
        var searcher = Start(entry, session.Planned.Space, options, random);
        var book = new TrialBook(session.Journal, session.Points, splits.Selection, _search.Patience, progress);
        var run = new SearchRun(session.Planned.Space, searcher, random, book, _search.Trials);
        await run.Run(cancellation);
        progress.Stage = "looking at the best once more";
        return await Finish(session, book.Trials, run.IsExhausted, cancellation);
    }

    private async Task<SearchOutcome> Finish(
        SearchSession session, IReadOnlyList<Trial> trials, bool isExhausted, CancellationToken cancellation)
    {
        var splits = request.Recipe.Splits;
        var look = new SecondLook(session);
        var outcome = new SearchOutcome(trials) { IsExhausted = isExhausted };
        if (Trial.Best(trials) is null)
            return outcome;
        var best = await Pick(look, trials, cancellation);
        var rescored = splits.Report is { } report
            ? await look.Rescore([.. SecondLook.Top(trials, _search.Rescored).Append(best).Distinct()], report, cancellation) : [];
        var ingredients = _search.ScoresIngredients
            ? await look.Ingredients(splits.Selection, splits.Report, cancellation) : [];
        var onReport = rescored.FirstOrDefault(r => r.Trial.Index == best.Index)?.Other;
        var baselines = _search.ScoresIngredients
            ? await look.Baselines(best, onReport, splits.Selection, splits.Report, cancellation) : [];
        return outcome with
        {
            Best = best,
            Report = onReport,
            Rescored = rescored,
            Ingredients = ingredients,
            Baselines = baselines,
            Comparisons = look.Comparisons(best.Score, onReport, ingredients, baselines),
            Noise = request.NoiseMeasurements > 0
                ? await look.Noise(trials, request.NoiseMeasurements, splits.Selection, cancellation) : null,
            Remarks = [.. Remarks(trials, isExhausted, splits), .. look.Remarks],
        };
    }

    private async Task<Trial> Pick(SecondLook look, IReadOnlyList<Trial> trials, CancellationToken cancellation)
    {
        if (_search.Final is FinalPick.Selection)
            return Trial.Best(trials)!;
        var again = await look.Rescore(SecondLook.Top(trials, FinalCandidates), request.Recipe.Splits.Final!, cancellation);
        // Of equal ones that which is better on the selection split: they come in that order.
        return again.Where(r => r.Other.Objective is not null).OrderByDescending(r => r.Other.Objective).FirstOrDefault()?.Trial
            ?? throw new MergeException(new Diagnostic($"none of the {again.Count} best trials has a score on '{request.Recipe.Splits.Final}', "
                + $"the split that picks the result; the first: {again[0].Other.Error ?? "no reason given"}")
            {
                Where = again[0].Other.Log,
                Fix = "Repair the evaluation, or write 'final: selection', then go on with --resume.",
            });
    }

    private List<string> Remarks(IReadOnlyList<Trial> trials, bool isExhausted, SplitsRecipe splits)
    {
        var remarks = FailureReason.Lines(trials).ToList();
        if (isExhausted)
            remarks.Add($"The searcher had nothing new to ask after {trials.Count} of {_search.Trials} trials.");
        if (splits.Report is null)
            remarks.Add("There is no report split: every score here was also chosen on, and is too good by an unknown amount.");
        return remarks;
    }

    /// <summary>Makes all checks, and tells what any of them found.</summary>
    private static void Together(params IReadOnlyList<Action> checks)
    {
        var found = new List<Diagnostic>();
        foreach (var check in checks)
        {
            try
            {
                check();
            }
            catch (MergeException wrong)
            {
                found.AddRange(wrong.Diagnostics);
            }
        }
        if (found.Count > 0)
            throw new MergeException(found) { WrongUsage = true };
    }

    private (SearcherEntry Entry, object Options) Searcher()
    {
        var path = request.Recipe.Path;
        try
        {
            var entry = request.Plugins.FindSearcher(_search.Searcher);
            var options = PartOptions.Bind(
                $"the searcher '{entry.Id}'", entry.Searcher.OptionsType, _search.Options, path, _search.SearcherLine);
            return (entry, options.Options);
        }
        catch (MergeException unknown) when (unknown.Diagnostics.All(d => d.Where is null))
        {
            throw new MergeException([.. unknown.Diagnostics.Select(d => d with { Where = $"{path}, line {_search.SearcherLine}" })])
            {
                WrongUsage = true,
            };
        }
    }

    private ISearcher Start(SearcherEntry entry, SearchSpace space, object options, SearchRandom random)
    {
        try
        {
            return entry.Searcher.StartWith(space, options, random);
        }
        catch (MergeException refused)
        {
            throw new MergeException([.. refused.Diagnostics.Select(d =>
                d with { Where = d.Where ?? $"{request.Recipe.Path}, line {_search.SearcherLine}" })])
            {
                WrongUsage = refused.WrongUsage,
            };
        }
    }

    private static MergeException NoSearch(Recipe recipe) => new(new Diagnostic("the recipe says nothing of a search: it has no 'search:'")
    {
        Where = recipe.Path,
        Expected = "'search: {searcher: cma-es, trials: 100}' beside 'evaluate:' and 'objective:'",
        Fix = "docs/searching.md begins with a whole recipe.",
    })
    { WrongUsage = true };
}

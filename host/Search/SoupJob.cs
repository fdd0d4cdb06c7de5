using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Trust;

namespace Merge.Search;

/// <summary>One decision of a greedy soup.</summary>
/// <param name="Model">The model that is tried next.</param>
/// <param name="Own">Its own score.</param>
/// <param name="With">The soup with it; null where its own evaluation failed, so that it was not tried.</param>
/// <param name="IsKept">Whether it stays.</param>
/// <param name="Difference">The soup with it against the soup without; null where there are no scores of examples.</param>
internal sealed record SoupStep(int Model, Trial Own, Trial? With, bool IsKept, PairedDifference? Difference);

/// <summary>
/// Soups (Wortsman et al., arXiv:2203.05482). Uniform: all models. Greedy: the models by their selection score, best first;
/// each stays if the average with it is accepted. The report split chooses nothing.
/// </summary>
/// <param name="request">What is asked for; its recipe by <see cref="SoupRecipe.Of"/>.</param>
/// <param name="isGreedy">Greedy, or uniform.</param>
/// <param name="accept">When a model stays.</param>
internal sealed class SoupJob(SearchRequest request, bool isGreedy, AcceptRule accept)
{
    private readonly List<SoupStep> _steps = [];

    /// <summary>The decisions, in their order; none of a uniform soup.</summary>
    public IReadOnlyList<SoupStep> Steps => _steps;

    public string Name => isGreedy ? $"greedy soup (accept: {accept.ToString().ToLowerInvariant()})" : "uniform soup";

    /// <summary>Opens everything; disposed by whoever asks.</summary>
    /// <exception cref="MergeException">What is wrong before anything is evaluated.</exception>
    public SearchSession Open() => SearchSession.Open(
        request, SoupRecipe.Space(request.Recipe), "soup", [("soup", Name)]);

    public async Task<SearchOutcome> Run(SearchSession session, CancellationToken cancellation)
    {
        var splits = request.Recipe.Splits;
        var models = session.Planned.Space.Dimensions.Count;
        request.Progress.Total = isGreedy ? (2 * models) + 1 : models + 1;
        var book = new TrialBook(
            session.Journal, session.Points, splits.Selection, SearchRecipe.DefaultPatience, request.Progress);
        var look = new SecondLook(session);
        Trial[] single = await Try(session, book, [.. Enumerable.Range(0, models).Select(m => new[] { m })], 0, cancellation);
        var uniform = (await Try(session, book, [[.. Enumerable.Range(0, models)]], 1, cancellation))[0];
        var outcome = new SearchOutcome(book.Trials);
        var soup = isGreedy ? await Greedy(session, book, look, single, cancellation) : uniform;
        if (soup?.Objective is null)
            return outcome;
        request.Progress.Stage = "scoring on the report split";
        var best = Trial.Best(single);
        Trial[] reported = [.. new[] { soup, best, uniform }.OfType<Trial>().Where(t => t.Objective is not null).DistinctBy(t => t.Index)];
        var again = splits.Report is { } report
            ? (await look.Rescore(reported, report, cancellation)).ToDictionary(r => r.Trial.Index, r => r.Other) : [];
        IngredientScore[] ingredients =
        [
            .. single.Select((t, i) => new IngredientScore(i, session.Planned.ModelNames[i], t.Score, again.GetValueOrDefault(t.Index))),
        ];
        IngredientScore[] baselines = isGreedy && uniform.Index != soup.Index
            ? [new(0, "the uniform soup", uniform.Score, again.GetValueOrDefault(uniform.Index))] : [];
        return outcome with
        {
            Best = soup,
            Report = again.GetValueOrDefault(soup.Index),
            Ingredients = ingredients,
            Baselines = baselines,
            Comparisons = look.Comparisons(soup.Score, again.GetValueOrDefault(soup.Index), ingredients, baselines),
            Remarks =
            [
                .. isGreedy && uniform.Index == soup.Index ? ["The greedy soup is the uniform one: every model stayed."] : Array.Empty<string>(),
                .. single.Where(t => t.Objective is null).Take(1).Select(t => $"{single.Count(s => s.Objective is null)} of {single.Length} "
                    + $"models have no score, and are in no soup but the uniform one; the first: {t.Score.Error ?? "no reason given"}"),
                .. splits.Report is null
                    ? ["There is no report split: every score here was also chosen on, and is too good by an unknown amount."] : Array.Empty<string>(),
                .. look.Remarks,
            ],
        };
    }

    private async Task<Trial?> Greedy(
        SearchSession session, TrialBook book, SecondLook look, Trial[] single, CancellationToken cancellation)
    {
        int[] order = [.. Enumerable.Range(0, single.Length).OrderByDescending(m => single[m].Objective ?? double.NegativeInfinity)];
        if (single[order[0]].Objective is null)
            return null;
        var (kept, incumbent) = (new List<int> { order[0] }, single[order[0]]);
        _steps.Add(new(order[0], incumbent, incumbent, true, null));
        foreach (var (step, model) in order.Skip(1).Index())
        {
            if (single[model].Objective is null)
            {
                _steps.Add(new(model, single[model], null, false, null));
                continue;
            }
            var with = (await Try(session, book, [[.. kept.Append(model).Order()]], step + 2, cancellation))[0];
            var difference = look.Compare(with.Score, incumbent.Score);
            var isKept = Accepts(with, incumbent, difference);
            _steps.Add(new(model, single[model], with, isKept, difference));
            if (!isKept)
                continue;
            kept.Add(model);
            incumbent = with;
        }
        return incumbent;
    }

    private bool Accepts(Trial with, Trial incumbent, PairedDifference? difference) => accept switch
    {
        _ when with.Objective is null => false,
        AcceptRule.Better => with.Objective >= incumbent.Objective,
        AcceptRule.Strictly => with.Objective > incumbent.Objective,
        _ => difference?.IsGain ?? throw NotPaired(with, incumbent),
    };

    private MergeException NotPaired(Trial with, Trial incumbent)
    {
        var isSilent = new[] { with, incumbent }.All(t => t.Score.Examples.Count == 0);
        return new(new Diagnostic("'--accept significant' compares example by example, and " + (isSilent
            ? "the evaluator gives no score per example"
            : $"two trials cannot be compared so: {ExamplesOf(incumbent)}; {ExamplesOf(with)}"))
        {
            Where = with.Score.Log,
            Fix = isSilent
                ? "Let it give 'examples', one list per metric of the objective, or choose --accept better."
                : "Let it give a finite score for every example, as many for every metric and model, or choose --accept better.",
        })
        { WrongUsage = true };
    }

    private string ExamplesOf(Trial trial) => $"trial {trial.Index} has " + string.Join(" and ", request.Recipe.Objective!.Terms.Select(term =>
    {
        if (!trial.Score.Examples.TryGetValue(term.Metric, out var values))
            return $"no examples of '{term.Metric}'";
        var broken = values.Count(v => !double.IsFinite(v));
        return $"{values.Count} examples of '{term.Metric}'" + (broken > 0 ? $", {broken} of them NaN or infinite" : "");
    }));

    /// <summary>The trials of soups, each the models in it.</summary>
    private static async Task<Trial[]> Try(
        SearchSession session, TrialBook book, IReadOnlyList<int[]> soups, int generation, CancellationToken cancellation)
    {
        var dimensions = session.Planned.Space.Dimensions;
        double[][] points = [.. soups.Select(s => dimensions.Select((d, m) => s.Contains(m) ? d.Start ?? 1 : 0).ToArray())];
        await book.Try([.. points.Where(p => book.Find(p) is null).Distinct(Points.ByValue)], generation, 0, cancellation);
        return [.. points.Select(p => book.Find(p)!)];
    }
}

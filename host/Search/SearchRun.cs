using Merge.Sdk;

namespace Merge.Search;

/// <summary>Asks a searcher, has its points tried, tells it: until as many points are tried as the recipe allows.</summary>
/// <param name="space">What is searched.</param>
/// <param name="searcher">New.</param>
/// <param name="random">The one it was started with.</param>
/// <param name="book">Takes the trials.</param>
/// <param name="trials">How many.</param>
internal sealed class SearchRun(SearchSpace space, ISearcher searcher, SearchRandom random, TrialBook book, int trials)
{
    // A searcher that is at its end repeats itself for ever.
    private const int MostRepeats = 100;

    /// <summary>Whether the searcher came to its end before the trials did.</summary>
    public bool IsExhausted { get; private set; }

    /// <exception cref="MergeException">The searcher, or the evaluation, cannot go on.</exception>
    public async Task Run(CancellationToken cancellation)
    {
        var repeats = 0;
        for (var generation = 0; book.Trials.Count < trials; generation++)
        {
            cancellation.ThrowIfCancellationRequested();
            var asked = Ask();
            double[][] fresh = [.. asked.Distinct(Points.ByValue).Cast<double[]>().Where(p => book.Find(p) is null)];
            double[][] tried = [.. fresh.Take(trials - book.Trials.Count)];
            await book.Try(tried, generation, random.Draws, cancellation);
            if (tried.Length < fresh.Length)
                return;
            Tell([.. asked.Select(p => new ScoredPoint(p, book.Find(p)!.Objective))]);
            repeats = tried.Length == 0 ? repeats + 1 : 0;
            if (repeats == MostRepeats)
            {
                IsExhausted = true;
                return;
            }
        }
    }

    private double[][] Ask()
    {
        var asked = Call(searcher.Ask);
        if (asked is null || asked.Count == 0 || asked.Any(p => p is null || p.Length != space.Dimensions.Count || p.Any(double.IsNaN)))
        {
            throw MergeException.Plugin("the searcher asks for no points, or for points that are not of the space",
                $"points of {space.Dimensions.Count} numbers");
        }
        return [.. asked.Select(space.Nearest)];
    }

    private void Tell(IReadOnlyList<ScoredPoint> generation) => Call(() =>
    {
        searcher.Tell(generation);
        return 0;
    });

    private static T Call<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception fault) when (fault is not (MergeException or OperationCanceledException))
        {
            throw new MergeException(
                new Diagnostic($"the searcher fails: {fault.GetType().Name}: {fault.Message}") { Actor = Actor.PluginAuthor }, fault);
        }
    }
}

using Merge.Sdk;

namespace Merge.Plugin.Lcsc;

/// <summary>
/// A (μ+λ) evolution of real-coded genes, one a dimension. First the <see cref="Profiles"/> and points around them; then
/// children of the best: uniform crossover, Gaussian mutation; the μ best of parents and children live on. The mutation's
/// size decays with every generation that finds nothing better, so that a far optimum is walked to at full pace. A point
/// that was asked for once is never asked for again.
/// </summary>
internal sealed class Evolution(SearchSpace space, LcscSearchOptions options, SearchRandom random) : ISearcher
{
    private const int MostTries = 200;

    private readonly Archive _archive = new();
    private List<Individual> _population = [];
    private double _size = options.MutationSize;

    public IReadOnlyList<double[]> Ask()
    {
        // Until something has succeeded, there is nothing to inherit.
        var points = _population.Count == 0 ? First() : Children();
        return points.Count > 0 ? points : [_population.Count == 0 ? space.Start() : _population[0].Point];
    }

    public void Tell(IReadOnlyList<ScoredPoint> generation)
    {
        var best = _population.FirstOrDefault();
        // OrderBy is stable: of equal scores the older one stays ahead.
        _population =
        [
            .. _population
                .Concat(generation.Where(p => p.Score is { } score && !double.IsNaN(score))
                    .Select(p => new Individual([.. p.Point], p.Score!.Value)))
                .DistinctBy(i => i.Point, Archive.ByValue)
                .OrderByDescending(i => i.Score).Take(options.Population),
        ];
        if (best is not null && !(_population[0].Score > best.Score))
            _size = Math.Max(options.SmallestMutation, _size * options.MutationDecay);
    }

    private List<double[]> First()
    {
        double[][] profiles = [.. Profiles.Of(space, options.Betas)];
        var points = profiles.Take(options.Population).Where(_archive.Add).ToList();
        for (var i = 0; points.Count < options.Population; i++)
        {
            var profile = profiles[i % profiles.Length];
            if (New(() => Moved(profile, 1, options.InitialSize)) is not { } point)
                break;
            points.Add(point);
        }
        return points;
    }

    private List<double[]> Children()
    {
        var children = new List<double[]>();
        while (children.Count < options.Offspring
            && New(() => Moved(Crossed(), options.MutationRate, _size)) is { } child)
        {
            children.Add(child);
        }
        return children;
    }

    /// <summary>A child of two of the best, each gene the first's or the second's.</summary>
    private double[] Crossed()
    {
        var top = Math.Min(options.TopK, _population.Count);
        var first = random.Below(top);
        // Two different ones, where there are two.
        var second = top == 1 ? first : (first + 1 + random.Below(top - 1)) % top;
        return
        [
            .. space.Dimensions.Select((_, i) =>
                _population[random.Uniform() < options.Crossover ? first : second].Point[i]),
        ];
    }

    /// <summary>Each gene, with this probability, a normal step of this size (in ranges) away.</summary>
    private double[] Moved(double[] point, double rate, double size)
    {
        var moved = (double[])point.Clone();
        for (var i = 0; i < moved.Length; i++)
        {
            if (rate < 1 && random.Uniform() >= rate)
                continue;
            var dimension = space.Dimensions[i];
            moved[i] = dimension.At(dimension.PlaceOf(moved[i]) + (size * random.Normal()));
        }
        return moved;
    }

    /// <summary>A point that was not asked for; the range at large where what is near is used up, null where all
    /// is.</summary>
    private double[]? New(Func<double[]> draw)
    {
        for (var tries = 0; tries < 2 * MostTries; tries++)
        {
            var point = tries < MostTries ? draw() : [.. space.Dimensions.Select(d => d.At(random.Uniform()))];
            if (_archive.Add(point))
                return point;
        }
        return null;
    }

    private sealed record Individual(double[] Point, double Score);
}

using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using Merge.Sdk;

namespace Merge.Plugin.Searchers;

/// <summary>
/// CMA-ES over places: 0 and 1 are the ends of a dimension's range. A point outside what the strategy takes is evaluated
/// where it is nearest, and its score lowered by its distance from there.
/// </summary>
internal sealed class CmaEs : ISearcher
{
    private readonly SearchSpace _space;
    private readonly CmaEsOptions _options;
    private readonly SearchRandom _random;
    private CmaDistribution _distribution;
    private CmaSettings _settings;
    private Stall _stall;
    private Vector<double>[] _asked = [];

    public CmaEs(SearchSpace space, CmaEsOptions options, SearchRandom random)
    {
        (_space, _options, _random) = (space, options, random);
        var n = space.Dimensions.Count;
        _settings = new(n, options.Population ?? CmaSettings.DefaultPopulation(n));
        var start = space.Start();
        _distribution = new(
            _settings, [.. space.Dimensions.Select((d, i) => d.PlaceOf(start[i]))], options.Sigma);
        _stall = new(_settings);
        // The start itself goes first: the search never ends below it.
        _asked = [DenseVector.Create(n, 0)];
    }

    public IReadOnlyList<double[]> Ask()
    {
        var first = _asked.Length == 1 ? _asked : [];
        _asked = [.. first, .. Enumerable.Range(first.Length, _settings.Lambda - first.Length)
            .Select(_ => _distribution.Draw(_random))];
        return [.. _asked.Select(y => _space.Dimensions.Select((d, i) => d.At(Place(y, i))).ToArray())];
    }

    public void Tell(IReadOnlyList<ScoredPoint> generation)
    {
        var scored = Enumerable.Range(0, _asked.Length)
            .Where(i => generation[i].Score is { } score && double.IsFinite(score)).ToArray();
        if (scored.Length == 0)
        {
            _distribution.Shrink();
        }
        else
        {
            double[] scores = [.. scored.Select(i => generation[i].Score!.Value)];
            var penalty = Spread(scores) / _distribution.Variance;
            _distribution.Learn([.. scored
                .Select((i, k) => (Y: _asked[i], Score: scores[k] - (penalty * Outside(_asked[i]))))
                .OrderByDescending(p => p.Score).Select(p => p.Y)]);
            _stall.Add(scores);
        }
        if (_options.Restarts is not Restarts.None && (_distribution.IsDegenerate || _stall.IsReached))
            Restart();
    }

    private double Place(Vector<double> y, int i) => _distribution.Mean[i] + (_distribution.Sigma * y[i]);

    /// <summary>Squared distance, in ranges, to what the strategy takes. Rounding to a whole number is no
    /// distance.</summary>
    private double Outside(Vector<double> y) => _space.Dimensions.Select((d, i) =>
    {
        var place = Place(y, i);
        var inside = Math.Clamp(
            place, Bound(d, d.Minimum, double.NegativeInfinity), Bound(d, d.Maximum, double.PositiveInfinity));
        return (place - inside) * (place - inside);
    }).Sum();

    // A logarithmic scale ends at 0, which has no place.
    private static double Bound(SearchDimension dimension, double value, double open) =>
        dimension.PlaceOf(value) is var place && double.IsFinite(place) ? place : open;

    /// <summary>The distance between the quartiles.</summary>
    private static double Spread(double[] scores)
    {
        double[] sorted = [.. scores.Order()];
        return sorted[3 * sorted.Length / 4] - sorted[sorted.Length / 4];
    }

    private void Restart()
    {
        var n = _settings.N;
        _settings = _options.Restarts is Restarts.Doubled ? new(n, 2 * _settings.Lambda) : _settings;
        _distribution = new(
            _settings, [.. Enumerable.Range(0, n).Select(_ => _random.Uniform())], _options.Sigma);
        _stall = new(_settings);
        _asked = [];
    }
}

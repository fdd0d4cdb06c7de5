using Merge.Sdk;

namespace PluginNamespace;

/// <summary>
/// Steps from the best point so far, in every dimension by a normal number; the step shrinks when a generation brings
/// nothing better.
/// </summary>
public sealed class PluginClassSearcher : SearcherFactory<PluginClassOptions>
{
    public override SearcherInfo Info => new("plugin_id", "PluginClass", Text: "Normal steps from the best point so far");

    protected override ISearcher Start(SearchSpace space, PluginClassOptions options, SearchRandom random) =>
        new Climb(space, options, random);

    private sealed class Climb(SearchSpace space, PluginClassOptions options, SearchRandom random) : ISearcher
    {
        private ScoredPoint? _best;
        private double _step = options.Step;

        public IReadOnlyList<double[]> Ask() => _best is null
            ? [space.Start()]
            : [.. Enumerable.Range(0, options.Population).Select(_ => Near(_best.Point))];

        public void Tell(IReadOnlyList<ScoredPoint> generation)
        {
            // A failed trial has no score.
            var found = generation.Where(p => p.Score is not null).MaxBy(p => p.Score) ?? _best ?? generation[0];
            if (found.Score is null || !(found.Score <= _best?.Score))
                _best = found;
            else
                _step *= 0.8;
        }

        private double[] Near(IReadOnlyList<double> point) =>
            [.. space.Dimensions.Select((d, i) => d.At(d.PlaceOf(point[i]) + (_step * random.Normal())))];
    }
}

using Merge.Sdk;

namespace PluginNamespace;

/// <summary>Metric <c>small</c>: the share of all weights whose magnitude is below a limit.</summary>
public sealed class PluginClassEvaluator : EvaluatorFactory<PluginClassOptions>
{
    public override EvaluatorInfo Info => new("plugin_id", "PluginClass", "Share of the weights below a limit");

    protected override IEvaluator Open(PluginClassOptions options) => new Evaluator(options);

    // Called by several threads at once: it keeps nothing but what Open has loaded.
    private sealed class Evaluator(PluginClassOptions options) : IEvaluator
    {
        public Task<Evaluation> Evaluate(Candidate candidate, string split, CancellationToken cancellation)
        {
            var (small, all) = (0L, 0L);
            foreach (var tensor in candidate.Tensors)
            {
                cancellation.ThrowIfCancellationRequested();
                var values = new float[tensor.Count];
                candidate.Read(tensor.Name, values);
                small += values.LongCount(v => Math.Abs(v) < options.Limit);
                all += values.LongLength;
            }
            return Task.FromResult(new Evaluation(new Dictionary<string, double> { ["small"] = small / (double)all }));
        }

        public void Dispose()
        {
        }
    }
}

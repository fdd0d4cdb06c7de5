using Merge.Sdk;

namespace Merge.Samples.Digits.Evaluator;

/// <summary>
/// Metrics <c>accuracy</c> (share of images named rightly, higher is better) and <c>loss</c> (mean cross entropy in
/// nats, lower is better), both with a score for every image. Splits <c>selection</c> and <c>report</c>: two halves of
/// the rows of writers that no model was trained on.
/// </summary>
internal sealed class DigitsEvaluator(DigitsData data) : IEvaluator
{
    private readonly DigitsScorer _selection = new(data.Selection);
    private readonly DigitsScorer _report = new(data.Report);

    public Task<Evaluation> Evaluate(Candidate candidate, string split, CancellationToken cancellation)
    {
        var scorer = split switch
        {
            "selection" => _selection,
            "report" => _report,
            _ => throw new MergeException(new Diagnostic($"the digits have no split '{split}'")
            {
                Expected = "selection or report",
            }),
        };
        var (right, loss) = scorer.Score(Model(candidate));
        return Task.FromResult(new Evaluation(new Dictionary<string, double>
        {
            ["accuracy"] = right.Average(),
            ["loss"] = loss.Average(),
        })
        {
            Examples = new Dictionary<string, IReadOnlyList<double>> { ["accuracy"] = right, ["loss"] = loss },
        });
    }

    public void Dispose()
    {
    }

    private static DigitsModel Model(Candidate candidate)
    {
        var found = candidate.Tensors.ToDictionary(t => t.Name);
        return new(DigitsModel.Layout.ToDictionary(t => t.Name, t =>
        {
            if (!found.TryGetValue(t.Name, out var tensor) || !tensor.Shape.SequenceEqual(t.Shape.Select(s => (long)s)))
            {
                throw new MergeException(new Diagnostic("the candidate is no digits classifier")
                {
                    Expected = $"a tensor '{t.Name}' of shape [{string.Join(", ", t.Shape)}]",
                });
            }
            var values = new float[tensor.Count];
            candidate.Read(t.Name, values);
            return (t.Shape, values);
        }));
    }
}

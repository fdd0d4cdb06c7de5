using Merge.Sdk;
using Merge.Testing.Rules;

namespace Merge.Testing;

/// <summary>Runs and checks an evaluator outside the host.</summary>
public static class EvaluatorConformance
{
    /// <summary>Scores tensors in memory as a candidate.</summary>
    /// <param name="factory">The evaluator.</param>
    /// <param name="options">Its options record.</param>
    /// <param name="tensors">By name.</param>
    /// <param name="split">As the host names it: <c>selection</c> or <c>report</c>.</param>
    public static Evaluation Score(
        EvaluatorFactory factory, object options, IReadOnlyDictionary<string, TestTensor> tensors, string split = "selection")
    {
        using var evaluator = factory.OpenWith(options);
        return evaluator.Evaluate(new ArrayCandidate(tensors), split, default).GetAwaiter().GetResult();
    }

    /// <summary>
    /// Checks that an evaluator gives the same finite metrics every time and from several threads at once, on both splits.
    /// </summary>
    /// <param name="factory">The evaluator.</param>
    /// <param name="options">Its options record.</param>
    /// <param name="tensors">A model it can score.</param>
    /// <exception cref="ConformanceException">It does not.</exception>
    public static void Check(EvaluatorFactory factory, object options, IReadOnlyDictionary<string, TestTensor> tensors)
    {
        var findings = new List<ConformanceFinding>(Unmarked.In(options.GetType()));
        using var evaluator = factory.OpenWith(options);
        foreach (var split in (string[])["selection", "report"])
        {
            var first = Once(split);
            if (first.Metrics.Count == 0)
                findings.Add(new(ConformanceRule.Options, $"no metric comes back for '{split}'", "the Evaluation that is returned"));
            findings.AddRange(first.Metrics.Where(m => !double.IsFinite(m.Value)).Select(m => new ConformanceFinding(
                ConformanceRule.NotANumber, $"'{m.Key}' of '{split}' is {m.Value}", "means over no examples, logarithms of 0")));
            if (Enumerable.Range(0, 2).Any(_ => !Same(first, Once(split))))
            {
                findings.Add(new(ConformanceRule.Determinism, $"'{split}' is scored differently the second time",
                    "examples drawn at random, state kept between calls"));
            }
            var together = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Once(split)))).GetAwaiter().GetResult();
            if (together.Any(e => !Same(first, e)))
            {
                findings.Add(new(ConformanceRule.Threads, $"'{split}' is scored differently by several threads at once",
                    "buffers that calls share"));
            }
        }
        if (findings.Count > 0)
            throw new ConformanceException($"'{factory.Info.Id}' ({factory.GetType().Name})", findings);

        Evaluation Once(string split) =>
            evaluator.Evaluate(new ArrayCandidate(tensors), split, default).GetAwaiter().GetResult();
    }

    private static bool Same(Evaluation a, Evaluation b) =>
        a.Metrics.Count == b.Metrics.Count && a.Metrics.All(m => b.Metrics.TryGetValue(m.Key, out var value) && value.Equals(m.Value));
}

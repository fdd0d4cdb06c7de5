using System.Globalization;
using System.Numerics;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>
/// Gives every checkpoint the value of its parameter <c>metric</c> out of a training log, where the recipe has
/// <c>metrics:</c>. A value that the recipe itself gives stays.
/// </summary>
internal sealed class TrainingMetrics
{
    private const string Parameter = "metric";
    private const string OwnLog = "trainer_state.json";

    private readonly MetricsRecipe _metrics;
    private readonly ModelPlaces _places;
    private readonly RecipeFindings _findings;
    private readonly Dictionary<string, TrainingLog?> _logs = [];

    private TrainingMetrics(MetricsRecipe metrics, ModelPlaces places, RecipeFindings findings) =>
        (_metrics, _places, _findings) = (metrics, places, findings);

    /// <summary>The recipe with its models' metrics; itself where it does not ask for them.</summary>
    /// <param name="resolved">The recipe.</param>
    /// <param name="method">The method's id.</param>
    /// <param name="schema">Its parameters.</param>
    /// <param name="places">Where the log may be.</param>
    /// <exception cref="MergeException">Every checkpoint without a metric.</exception>
    public static ResolvedRecipe Fill(ResolvedRecipe resolved, string method, OptionsSchema schema, ModelPlaces places)
    {
        if (resolved.Recipe.Metrics is not { } metrics)
            return resolved;
        var findings = new RecipeFindings(resolved.Recipe.Path);
        if (schema.Find(Parameter) is not { IsPerModel: true })
        {
            findings.Error(metrics.Line, $"'metrics' gives each model a 'metric', and {method} has no such parameter",
                "a method that weights by metrics, such as mwa");
        }
        else if (resolved.Recipe.Models.Count == 0)
        {
            findings.Error(metrics.Line, "'metrics' stands beside slices or modules", "'models'",
                "Give each source its 'metric' below its 'parameters:'.");
        }
        findings.ThrowIfAny();
        var module = resolved.Modules[0];
        var slice = module.Slices[0];
        var sources = new TrainingMetrics(metrics, places, findings).Filled(slice.Sources);
        findings.ThrowIfAny();
        return resolved with
        {
            Recipe = resolved.Recipe with { Models = [.. sources.Select(s => s.Model)] },
            Modules = [module with { Slices = [slice with { Sources = sources }] }],
        };
    }

    private ResolvedModel[] Filled(IReadOnlyList<ResolvedModel> models)
    {
        (ResolvedModel Model, BigInteger? Step)[] steps =
            [.. models.Select(m => (m, HasMetric(m) ? null : StepOf(m)))];
        BigInteger[] known = [.. steps.Select(s => s.Step).OfType<BigInteger>().Order()];
        return [.. steps.Select(s => s.Step is { } step && Metric(s.Model, step, known) is { } metric
            ? With(s.Model, metric) : s.Model)];
    }

    private static bool HasMetric(ResolvedModel model) => model.Model.Parameters.Find(Parameter) is not null;

    private ResolvedModel With(ResolvedModel model, double metric)
    {
        var text = metric.ToString("R", CultureInfo.InvariantCulture);
        var given = new RecipeParameter(Parameter, new ParameterScalar(text, false, _metrics.Line), _metrics.Line);
        return model with
        {
            Model = model.Model with { Parameters = new([.. model.Model.Parameters.Items, given]) },
        };
    }

    /// <summary>The step in the checkpoint's own trainer state, else in its name.</summary>
    private BigInteger? StepOf(ResolvedModel model)
    {
        if (Path.Combine(model.OwnPath, OwnLog) is var own && File.Exists(own) && Log(own, model)?.Step is { } step)
            return step;
        var parts = model.Model.Model.Text.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Reverse().Select(Trajectory.Step).FirstOrDefault(s => s is not null) is { } named)
            return named;
        _findings.Error(model.Model.Model.Line, $"the step of {Name(model)} is not known",
            "a name that ends in its step, such as 'checkpoint-500', or a trainer_state.json in its folder",
            "Give its 'metric' below its 'parameters:'.");
        return null;
    }

    private double? Metric(ResolvedModel model, BigInteger step, BigInteger[] steps)
    {
        if (_metrics.Name == "step")
            return (double)step;
        if (FileOf(model) is not { } file || Log(file, model) is not { } log)
            return null;
        var after = _metrics.Take is MetricTake.Mean ? Before(step, steps) : null;
        var logged = log.Entries.Where(e => e.Values.ContainsKey(_metrics.Name)).ToArray();
        TrainingLogEntry[] used = [.. logged.Where(e => e.Step <= step && !(e.Step <= after)).OrderBy(e => e.Step)];
        if (used.Length == 0)
        {
            var span = after is null ? $"at or before step {step}" : $"after step {after} up to {step}";
            _findings.Error(_metrics.Line,
                $"{Name(model)} has no metric: {file} logs no {RecipeText.Quote(_metrics.Name)} {span}",
                logged.Length > 0 ? $"one (the log has steps {logged.Min(e => e.Step)} to {logged.Max(e => e.Step)})" : null,
                logged.Length > 0 ? "Give its 'metric' below its 'parameters:', or leave it out." : NamesIn(log));
            return null;
        }
        if (_metrics.Take is MetricTake.Last)
            used = [used[^1]];
        if (used.FirstOrDefault(e => !double.IsFinite(e.Values[_metrics.Name])) is not { } broken)
            return used.Average(e => e.Values[_metrics.Name]);
        // Never an older one instead: a run that diverged would be weighted as if it had not.
        _findings.Error(_metrics.Line, $"the {RecipeText.Quote(_metrics.Name)} of {Name(model)} is "
            + $"{broken.Values[_metrics.Name].ToString(CultureInfo.InvariantCulture)} at step {broken.Step} ({file}, {broken.Place})",
            "a finite number", "Give its 'metric' below its 'parameters:', or leave it out.");
        return null;
    }

    /// <summary>
    /// The step of the checkpoint before; for the oldest as far back as the next one is away, null where there is no
    /// other.
    /// </summary>
    private static BigInteger? Before(BigInteger step, BigInteger[] steps) =>
        steps.Any(s => s < step) ? steps.Last(s => s < step)
        : steps.Any(s => s > step) ? step - (steps.First(s => s > step) - step)
        : null;

    private string? NamesIn(TrainingLog log)
    {
        string[] names = [.. log.Entries.SelectMany(e => e.Values.Keys).Distinct().Order(StringComparer.Ordinal)];
        return NearestMatch.Question(_metrics.Name, names)
            ?? (names.Length == 0 ? "The log has no entry with a step." : $"It logs {string.Join(", ", names)}.");
    }

    /// <summary>One log of the whole run, or the one in the checkpoint's folder.</summary>
    private string? FileOf(ResolvedModel model)
    {
        var candidates = _places.Candidates(_metrics.File).Append(Path.Combine(model.OwnPath, _metrics.File)).ToArray();
        if (candidates.FirstOrDefault(File.Exists) is { } found)
            return found;
        _findings.Error(_metrics.Line, $"{Name(model)} has no metric: there is no log {RecipeText.Quote(_metrics.File)}; "
            + $"looked for {string.Join(", ", candidates)}");
        return null;
    }

    // Read once; what is wrong with it is told once.
    private TrainingLog? Log(string path, ResolvedModel model)
    {
        if (_logs.TryGetValue(path, out var log))
            return log;
        try
        {
            log = TrainingLog.Read(path);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            _findings.Error(_metrics.Line, $"{path}, the log of {Name(model)}, "
                + (exception is InvalidDataException ? exception.Message : $"cannot be read: {exception.Message}"));
        }
        return _logs[path] = log;
    }

    private static string Name(ResolvedModel model) => RecipeText.Quote(model.Model.Model.Text);
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Where each checkpoint's <c>metric</c> is read from.</summary>
/// <param name="File">A training log: a path, or the name of a file in every checkpoint's folder.</param>
/// <param name="Name">The value in the log, or <c>step</c>: the checkpoint's step, whatever the log.</param>
internal sealed record MetricsRecipe(int Line, string File, string Name, MetricTake Take);

/// <summary>Which of a log's values counts for a checkpoint.</summary>
internal enum MetricTake
{
    /// <summary>The newest at or before the checkpoint's step.</summary>
    Last,
    /// <summary>The mean of those after the checkpoint before it, up to its own step.</summary>
    Mean,
}

/// <summary>Reads <c>metrics:</c>, a file's name or a mapping of <c>file</c>, <c>name</c> and <c>take</c>.</summary>
internal static class MetricsSection
{
    private const string HuggingFaceLog = "trainer_state.json";
    private const string TrainingLoss = "loss";

    private static readonly string[] Keys = ["file", "name", "take"];

    public static MetricsRecipe? Read(YamlEntry? section, RecipeFindings findings)
    {
        if (section is null)
            return null;
        if (section.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return new(section.Line, scalar.Text.Trim(), TrainingLoss, MetricTake.Last);
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'metrics' is {section.Value.Kind}",
                "a training log's name, such as 'trainer_state.json', or a mapping with 'file', 'name' and 'take'");
            return null;
        }
        foreach (var (key, line, _) in map.Entries.Where(e => !Keys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} in 'metrics'",
                $"one of {string.Join(", ", Keys)}", NearestMatch.Question(key, Keys));
        }
        return new(section.Line, Word(map, "file", findings) ?? HuggingFaceLog,
            Word(map, "name", findings) ?? TrainingLoss, Take(map, findings));
    }

    private static MetricTake Take(YamlMap map, RecipeFindings findings)
    {
        var text = Word(map, "take", findings) ?? "last";
        if (text is not ("last" or "mean"))
        {
            findings.Error(map.Find("take")!.Line, $"'take' is {RecipeText.Quote(text)}",
                "last (the newest value up to the checkpoint's step) or mean (of those since the checkpoint before)",
                NearestMatch.Question(text, ["last", "mean"]));
        }
        return text is "mean" ? MetricTake.Mean : MetricTake.Last;
    }

    private static string? Word(YamlMap map, string key, RecipeFindings findings)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return scalar.Text.Trim();
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", "one word");
        return null;
    }
}

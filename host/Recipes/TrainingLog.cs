using System.Numerics;
using System.Text.Json;

namespace Merge.Recipes;

/// <summary>What a training run logged: numbers by name, each set with its step.</summary>
/// <param name="Path">Where it was read.</param>
/// <param name="Entries">In the order of the file; those without a step are left out.</param>
/// <param name="Step">The step the whole log stands at, where it says so: the <c>global_step</c> of a trainer's
/// state.</param>
internal sealed record TrainingLog(string Path, IReadOnlyList<TrainingLogEntry> Entries, BigInteger? Step)
{
    // The names of the step: the Hugging Face trainer's, Lightning's and others'.
    private static readonly string[] StepNames = ["step", "global_step"];

    /// <summary>
    /// Reads a Hugging Face <c>trainer_state.json</c> (its <c>log_history</c>), JSON lines or CSV, told apart by the
    /// name's ending.
    /// </summary>
    /// <exception cref="InvalidDataException">It is none of them: what was found, as a sentence's predicate.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TrainingLog Read(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".json" => ReadState(path),
        ".jsonl" or ".ndjson" => new(path, [.. ReadLines(path)], null),
        ".csv" => new(path, [.. ReadTable(path)], null),
        var ending => throw new InvalidDataException(
            $"ends in '{ending}'; a log is a trainer_state.json, or ends in .json, .jsonl or .csv"),
    };

    private static TrainingLog ReadState(string path)
    {
        using var json = Parse(File.ReadAllText(path), "");
        if (json.RootElement.ValueKind is not JsonValueKind.Object
            || !json.RootElement.TryGetProperty("log_history", out var history)
            || history.ValueKind is not JsonValueKind.Array)
        {
            throw new InvalidDataException("has no list 'log_history', so it is no trainer_state.json");
        }
        var step = json.RootElement.TryGetProperty("global_step", out var at)
            && at.ValueKind is JsonValueKind.Number && at.TryGetInt64(out var whole)
            ? whole : (BigInteger?)null;
        return new(path, [.. history.EnumerateArray().Select((e, i) => Entry(e, $"entry {i + 1} of log_history")).OfType<TrainingLogEntry>()], step);
    }

    private static IEnumerable<TrainingLogEntry> ReadLines(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            using var json = Parse(line, $" in line {number}");
            if (Entry(json.RootElement, $"line {number}") is { } entry)
                yield return entry;
        }
    }

    private static IEnumerable<TrainingLogEntry> ReadTable(string path)
    {
        using var text = new StreamReader(path);
        IReadOnlyList<string>? header = null;
        foreach (var (line, cells) in CsvTable.Read(text))
        {
            if (header is null)
            {
                header = cells;
                if (!header.Any(IsStep))
                    throw new InvalidDataException($"has no column 'step' in its first line ({RecipeText.Quote(string.Join(',', cells))})");
                continue;
            }
            if (cells.Count != header.Count)
            {
                throw new InvalidDataException($"has {cells.Count} cells in line {line}, and its first line names {header.Count} columns"
                    + " (a cell with a comma in it needs quotes)");
            }
            var values = new Dictionary<string, double>();
            foreach (var (name, cell) in header.Zip(cells))
            {
                if (RecipeNumber.TryReal(cell, out var value))
                    values[name] = value;
                else if (PythonJson.NotFinite(cell) is { } notFinite)
                    values[name] = notFinite;
            }
            if (Entry(values, $"line {line}") is { } entry)
                yield return entry;
        }
    }

    private static JsonDocument Parse(string text, string where)
    {
        try
        {
            return PythonJson.Parse(text);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"is no JSON{where}: {exception.Message}");
        }
    }

    private static TrainingLogEntry? Entry(JsonElement json, string place)
    {
        if (json.ValueKind is not JsonValueKind.Object)
            return null;
        var values = new Dictionary<string, double>();
        foreach (var property in json.EnumerateObject())
        {
            if (PythonJson.Number(property.Value) is { } value)
                values[property.Name] = value;
        }
        return Entry(values, place);
    }

    private static TrainingLogEntry? Entry(Dictionary<string, double> values, string place)
    {
        foreach (var (name, value) in values)
        {
            if (IsStep(name) && double.IsInteger(value))
                return new(new BigInteger(value), values, place);
        }
        return null;
    }

    private static bool IsStep(string name) => StepNames.Contains(name, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Numbers logged at a step.</summary>
/// <param name="Values">By name; NaN and infinities among them.</param>
/// <param name="Place">Where in the log, in words.</param>
internal sealed record TrainingLogEntry(BigInteger Step, IReadOnlyDictionary<string, double> Values, string Place);

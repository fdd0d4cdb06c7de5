using System.Text;
using System.Text.Json;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>
/// A JSON line of an evaluator: numbers are metrics, nested objects too, their names joined by <c>/</c>; <c>examples</c>
/// holds the scores of single examples; <c>error</c> says that there are none. Other texts and lists are passed over.
/// </summary>
/// <param name="Id">What a worker says it answers, or null.</param>
/// <param name="Error">Why there is no score, or null.</param>
internal sealed record EvaluatorReply(Evaluation Evaluation, string? Id, string? Error)
{
    private static readonly string[] Separate = ["examples", "error", "id"];

    /// <summary>Reads a line; null where it is no JSON object.</summary>
    /// <param name="line">In UTF-8.</param>
    /// <param name="onlyMetric">The objective's, where it has just one: a bare list of examples is its; else that of the only metric there is.</param>
    public static EvaluatorReply? Read(ReadOnlySpan<byte> line, string? onlyMetric)
    {
        line = line.Trim(" \t\r\n"u8);
        if (line.IsEmpty || line[0] != '{' || line[^1] != '}')
            return null;
        var text = Encoding.UTF8.GetString(line);
        if (Parse(text) is not { ValueKind: JsonValueKind.Object } reply)
            return null;
        try
        {
            return Of(reply, onlyMetric);
        }
        catch (InvalidOperationException)
        {
            // A text that is no Unicode.
            return null;
        }
    }

    private static EvaluatorReply Of(JsonElement reply, string? onlyMetric)
    {
        var metrics = new Dictionary<string, double>();
        foreach (var property in reply.EnumerateObject().Where(p => !Separate.Contains(p.Name) || Number(p.Value) is not null))
            Flatten(property.Name, property.Value, metrics);
        var (id, error) = (Text("id"), Text("error"));
        var examples = new Dictionary<string, IReadOnlyList<double>>();
        if (reply.TryGetProperty("examples", out var given) && error is null)
            error = ReadExamples(given, onlyMetric ?? (metrics.Count == 1 ? metrics.Keys.Single() : null), examples);
        return new(new(metrics) { Examples = examples }, id, error);

        string? Text(string name) => reply.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString() : null;
    }

    private static void Flatten(string name, JsonElement value, Dictionary<string, double> metrics)
    {
        if (value.ValueKind is JsonValueKind.Object)
        {
            foreach (var property in value.EnumerateObject())
                Flatten($"{name}/{property.Name}", property.Value, metrics);
        }
        else if (Number(value) is { } number)
        {
            metrics[name] = number;
        }
    }

    /// <summary>Returns what is wrong with them, or null.</summary>
    private static string? ReadExamples(JsonElement given, string? onlyMetric, Dictionary<string, IReadOnlyList<double>> into)
    {
        switch (given.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.Array when onlyMetric is null:
                return "'examples' is a list, and there are several metrics; give an object with a list for each";
            case JsonValueKind.Array:
                return Add(onlyMetric!, given);
            case JsonValueKind.Object:
                return given.EnumerateObject().Select(p => Add(p.Name, p.Value)).OfType<string>().FirstOrDefault();
            default:
                return "'examples' is neither a list of numbers nor an object of such lists";
        }

        string? Add(string metric, JsonElement list)
        {
            if (list.ValueKind is not JsonValueKind.Array)
                return $"the examples of '{metric}' are no list";
            var values = new double[list.GetArrayLength()];
            var i = 0;
            foreach (var value in list.EnumerateArray())
            {
                if (Number(value) is not { } number)
                    return $"example {i} of '{metric}' is no number: {value.GetRawText()}";
                values[i++] = number;
            }
            into[metric] = values;
            return null;
        }
    }

    // JavaScript writes NaN as null.
    private static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        JsonValueKind.Null => double.NaN,
        _ => PythonJson.Number(value),
    };

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = PythonJson.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Unicode;
using System.Text.Encodings.Web;
using System.Text.Json;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>What a journal holds.</summary>
/// <param name="Identity">Of the search.</param>
/// <param name="Names">Of a point's values.</param>
/// <param name="Trials">In order.</param>
/// <param name="Ends">Where in the file the header's line and each trial's ends.</param>
internal sealed record JournalContent(
    IReadOnlyList<(string Item, string Value)> Identity, IReadOnlyList<string> Names, IReadOnlyList<Trial> Trials, IReadOnlyList<long> Ends)
{
    /// <summary>What is searched or chosen of, in the order of the recipe; empty in journals of older versions.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Whether models were chosen, not numbers searched.</summary>
    public bool IsSoup => Identity.Contains(("kind", "soup"));

    /// <summary>Bytes of the header and some trials.</summary>
    public long EndOf(int trials) => Ends[trials];
}

/// <summary>Trials as lines of JSON, and back: numbers round-trip, those JSON does not have are text.</summary>
internal static class JournalText
{
    private const int LongestShown = 60;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Header(
        IReadOnlyList<(string Item, string Value)> identity, IReadOnlyList<string> names, IReadOnlyList<string> models) => Of(json =>
    {
        json.WriteNumber("journal", 1);
        json.WriteStartObject("search");
        foreach (var (item, value) in identity)
            json.WriteString(item, value);
        json.WriteEndObject();
        json.WriteStartArray("names");
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartArray("models");
        foreach (var model in models)
            json.WriteStringValue(model);
        json.WriteEndArray();
    });

    public static string Line(Trial trial) => Of(json => Write(json, trial));

    /// <summary>A trial's fields.</summary>
    public static void Write(Utf8JsonWriter json, Trial trial)
    {
        json.WriteNumber("trial", trial.Index);
        json.WriteNumber("generation", trial.Generation);
        json.WriteStartArray("values");
        foreach (var value in trial.Point)
            WriteNumber(json, value);
        json.WriteEndArray();
        json.WriteString("status", StatusNames[(int)trial.Score.Status]);
        if (trial.Score.Objective is { } objective)
        {
            json.WritePropertyName("objective");
            WriteNumber(json, objective);
        }
        json.WriteStartObject("metrics");
        foreach (var (name, value) in trial.Score.Metrics)
        {
            json.WritePropertyName(name);
            WriteNumber(json, value);
        }
        json.WriteEndObject();
        if (trial.Score.Examples.Count > 0)
        {
            json.WriteStartObject("examples");
            foreach (var (name, values) in trial.Score.Examples)
            {
                json.WriteStartArray(name);
                foreach (var value in values)
                    WriteNumber(json, value);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        if (trial.Score.Error is { } error)
            json.WriteString("error", error);
        if (trial.Score.Actor is not Actor.User)
            json.WriteString("actor", ActorNames[(int)trial.Score.Actor]);
        if (trial.Score.Log is { } log)
            json.WriteString("log", log);
        json.WriteNumber("seconds", Math.Round(trial.Score.Seconds, 6));
        json.WriteNumber("merge_seconds", Math.Round(trial.MergeSeconds, 6));
        json.WriteNumber("draws", trial.Draws);
    }

    /// <summary>Reads a journal; null where not even its first line is whole. A cut last line is left out, with a note.</summary>
    /// <exception cref="MergeException">A line within cannot be read.</exception>
    public static JournalContent? Read(Stream file, string path, List<Diagnostic> notes)
    {
        using var buffer = new MemoryStream();
        file.CopyTo(buffer);
        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        var ended = bytes[..(bytes.LastIndexOf((byte)'\n') + 1)];
        if (ended.Length < bytes.Length)
            notes.Add(CutLine(path));
        // Where lines end is counted in its bytes: after an editor's mark or recoding the next trial would be written within one.
        if (ended.StartsWith(Encoding.UTF8.Preamble) || !Utf8.IsValid(ended))
            throw Damaged(path, 1, "it begins with a byte-order mark or is no UTF-8, so a program other than merge has written it");
        var whole = Encoding.UTF8.GetString(ended);
        var lines = whole.Split('\n')[..^1];
        if (lines.Length == 0)
            return null;
        var ends = new List<long>();
        var trials = new List<Trial>();
        IReadOnlyList<(string, string)> identity = [];
        IReadOnlyList<string> names = [];
        IReadOnlyList<string> models = [];
        var end = 0L;
        foreach (var (number, line) in lines.Index())
        {
            try
            {
                using var document = JsonDocument.Parse(line);
                if (number == 0)
                {
                    identity = [.. document.RootElement.GetProperty("search").EnumerateObject().Select(p => (p.Name, p.Value.GetString()!))];
                    names = [.. document.RootElement.GetProperty("names").EnumerateArray().Select(n => n.GetString()!)];
                    if (document.RootElement.TryGetProperty("models", out var listed))
                        models = [.. listed.EnumerateArray().Select(n => n.GetString()!)];
                }
                else
                    trials.Add(Trial(document.RootElement, trials.Count, names.Count));
            }
            catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
                or ArgumentException)
            {
                // A disk that ran full, or a power cut, can leave a last line that ends and yet is none.
                if (number == 0 || number < lines.Length - 1)
                    throw Damaged(path, number + 1, fault.Message);
                notes.Add(CutLine(path));
                break;
            }
            ends.Add(end += Encoding.UTF8.GetByteCount(line) + 1);
        }
        return new(identity, names, trials, ends) { Models = models };
    }

    /// <summary>What is not the same in two searches.</summary>
    public static IReadOnlyList<Diagnostic> Differences(
        IReadOnlyList<(string Item, string Value)> journal, IReadOnlyList<(string Item, string Value)> search)
    {
        var (old, now) = (journal.ToDictionary(), search.ToDictionary());
        return
        [
            .. old.Keys.Union(now.Keys).Where(k => old.GetValueOrDefault(k) != now.GetValueOrDefault(k)).Select(k => new Diagnostic(
                $"'{k}' is {Shown(now.GetValueOrDefault(k))}") { Expected = $"{Shown(old.GetValueOrDefault(k))}, as in the journal" }),
        ];
    }

    public static MergeException Damaged(string path, int line, string why) => new(new Diagnostic($"the journal cannot be read: {why}")
    {
        Where = $"{path}, line {line}",
        Fix = "Restore it from a copy, or cut it off before that line: the trials after it are then evaluated again.",
    });

    private static Diagnostic CutLine(string path) => new("the journal's last line is cut: that trial is evaluated again")
    {
        Severity = Severity.Warning,
        Where = path,
    };

    private static string Shown(string? value) =>
        value is null ? "not there" : value.Length > LongestShown ? value[..LongestShown] + "…" : value;

    private static readonly string[] ActorNames = ["user", "plugin_author", "developers"];

    private static readonly string[] StatusNames = ["ok", "infeasible", "failed", "timed_out", "not_a_number"];

    private static Trial Trial(JsonElement line, int expected, int values)
    {
        var index = line.GetProperty("trial").GetInt32();
        if (index != expected)
            throw new FormatException($"trial {index} stands where trial {expected} should");
        if (line.GetProperty("values").GetArrayLength() is var given && given != values)
            throw new FormatException($"trial {index} has {given} values, and {values} are searched");
        var status = Array.IndexOf(StatusNames, line.GetProperty("status").GetString());
        if (status < 0)
            throw new FormatException($"no status is called {line.GetProperty("status")}");
        var score = new TrialScore(
            (ScoreStatus)status,
            line.GetProperty("metrics").EnumerateObject().ToDictionary(p => p.Name, p => Number(p.Value)),
            line.TryGetProperty("examples", out var examples)
                ? examples.EnumerateObject().ToDictionary(p => p.Name, p => (IReadOnlyList<double>)[.. p.Value.EnumerateArray().Select(Number)])
                : new Dictionary<string, IReadOnlyList<double>>(),
            line.TryGetProperty("objective", out var objective) ? Number(objective) : null,
            line.GetProperty("seconds").GetDouble())
        {
            Error = line.TryGetProperty("error", out var error) ? error.GetString() : null,
            // Journals of older versions do not say.
            Actor = line.TryGetProperty("actor", out var actor) ? (Actor)Math.Max(0, Array.IndexOf(ActorNames, actor.GetString())) : Actor.User,
            Log = line.TryGetProperty("log", out var log) ? log.GetString() : null,
        };
        return new(index, line.GetProperty("generation").GetInt32(), [.. line.GetProperty("values").EnumerateArray().Select(Number)], score)
        {
            Draws = line.GetProperty("draws").GetInt64(),
            MergeSeconds = line.GetProperty("merge_seconds").GetDouble(),
        };
    }

    private static void WriteNumber(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture)
        : value.GetDouble();

    private static string Of(Action<Utf8JsonWriter> fields)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>What an evaluator once found, and how long it took.</summary>
internal sealed record KnownScore(Evaluation Evaluation, double Seconds);

/// <summary>
/// Metrics by content: by what made the weights, the evaluator and the split, whatever the objective. A JSON line each,
/// appended; a line that was cut by a power failure counts for nothing.
/// </summary>
internal sealed class ScoreCache : IDisposable
{
    private readonly Dictionary<string, KnownScore> _known = [];
    private readonly Lock _gate = new();
    private readonly FileStream _file;

    private ScoreCache(FileStream file) => _file = file;

    /// <summary>Opens or starts the file.</summary>
    /// <exception cref="MergeException">It cannot be written, or another search uses it.</exception>
    public static ScoreCache Open(string path)
    {
        FileStream file;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // Unbuffered: what a full disk refused must not be tried again when the file is closed.
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.IsDiskFull(fault) ? FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk)
                : new MergeException(new Diagnostic($"the scores cannot be opened: {fault.Message}")
                {
                    Where = path,
                    Fix = "Another search may be using this folder: wait for it, or choose another folder.",
                }, fault);
        }
        var cache = new ScoreCache(file);
        try
        {
            cache.Load();
            return cache;
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            cache.Dispose();
            throw FileProblem.IsDiskFull(fault) ? FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk) : FileProblem.Reading(path, fault);
        }
    }

    /// <summary>What names a score.</summary>
    public static string Key(string candidate, string evaluator, string split) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', candidate, evaluator, split))));

    public KnownScore? Find(string key)
    {
        lock (_gate)
            return _known.GetValueOrDefault(key);
    }

    /// <exception cref="MergeException">The disk is full or fails.</exception>
    public void Add(string key, string candidate, string split, KnownScore score)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("key", key);
            json.WriteString("candidate", candidate);
            json.WriteString("split", split);
            json.WriteNumber("seconds", score.Seconds);
            json.WriteStartObject("metrics");
            foreach (var (metric, value) in score.Evaluation.Metrics)
            {
                json.WritePropertyName(metric);
                Write(json, value);
            }
            json.WriteEndObject();
            json.WriteStartObject("examples");
            foreach (var (metric, values) in score.Evaluation.Examples)
            {
                json.WriteStartArray(metric);
                foreach (var value in values)
                    Write(json, value);
                json.WriteEndArray();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        lock (_gate)
        {
            if (_known.ContainsKey(key))
                return;
            var end = _file.Length;
            try
            {
                _file.Write(line.GetBuffer().AsSpan(0, (int)line.Length));
            }
            catch (Exception fault) when (FileProblem.Is(fault))
            {
                // Part of the line may be there: the next one begins where it did.
                _file.SetLength(end);
                _file.Position = end;
                throw FileProblem.Writing(_file.Name, 0, fault, ScoringPlace.FullDisk);
            }
            _known.Add(key, score);
        }
    }

    public void Dispose() => _file.Dispose();

    private void Load()
    {
        using var reader = new StreamReader(_file, Encoding.UTF8, bufferSize: 64 << 10, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            if (Read(line) is var (key, score))
                _known[key] = score;
        }
        // What is appended begins a line of its own after one that was cut.
        _file.Seek(0, SeekOrigin.End);
        if (_file.Length == 0)
            return;
        _file.Seek(-1, SeekOrigin.End);
        if (_file.ReadByte() != '\n')
            _file.WriteByte((byte)'\n');
    }

    private static (string Key, KnownScore Score)? Read(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var metrics = root.GetProperty("metrics").EnumerateObject().ToDictionary(p => p.Name, p => Number(p.Value));
            var examples = root.GetProperty("examples").EnumerateObject().ToDictionary(
                p => p.Name, p => (IReadOnlyList<double>)[.. p.Value.EnumerateArray().Select(Number)]);
            return (root.GetProperty("key").GetString()!,
                new(new(metrics) { Examples = examples }, root.GetProperty("seconds").GetDouble()));
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static void Write(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(value.ToString());
    }

    private static double Number(JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? double.Parse(value.GetString()!) : value.GetDouble();
}

using System.Text;
using System.Text.Json;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>One finished tensor, as the journal of a partial folder keeps it.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Checksum">CRC-32C of its output bytes.</param>
/// <param name="Inputs">CRC-32C of each of its planned inputs, in order; null where it was not read.</param>
/// <param name="LinearAlgebra">Whose linear algebra its bits depend on; null: nobody's.</param>
internal sealed record JournalEntry(string Tensor, uint Checksum, IReadOnlyList<uint?> Inputs, string? LinearAlgebra = null);

/// <summary>
/// What has been finished in a partial folder: a line that tells the merge apart from every other, then a line a
/// tensor. Held open, and locked, while a run writes it.
/// </summary>
internal sealed class Journal : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _gate = new();

    private Journal(FileStream file, IReadOnlyList<JournalEntry> entries)
    {
        _file = file;
        Entries = entries;
    }

    /// <summary>What earlier runs of the same merge have finished.</summary>
    public IReadOnlyList<JournalEntry> Entries { get; }

    /// <summary>Opens or starts a journal.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fingerprint">Of the merge at hand.</param>
    /// <param name="discard">Whether the finished work of another merge may be given up.</param>
    /// <exception cref="IOException">Another process holds it.</exception>
    /// <exception cref="MergeException">It is of another merge that has finished tensors.</exception>
    public static Journal Open(string path, string fingerprint, bool discard = true)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            var entries = Read(file, fingerprint);
            if (entries is null)
            {
                if (!discard && FinishedByAnother(file, fingerprint) is > 0 and var finished)
                {
                    throw new MergeException(new Diagnostic(
                        $"an unfinished output of another recipe, or of other inputs, is here, with {finished} tensors finished")
                    {
                        Where = Path.GetDirectoryName(path),
                        Fix = "Finish that merge first, choose another output folder, or give this one up with --force.",
                    })
                    { WrongUsage = true };
                }
                file.SetLength(0);
                Append(file, json => json.WriteString("fingerprint", fingerprint));
            }
            return new Journal(file, entries ?? []);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Add(JournalEntry entry)
    {
        lock (_gate)
        {
            Append(_file, json =>
            {
                json.WriteString("tensor", entry.Tensor);
                json.WriteNumber("crc32c", entry.Checksum);
                json.WriteStartArray("inputs");
                foreach (var checksum in entry.Inputs)
                {
                    if (checksum is { } known)
                        json.WriteNumberValue(known);
                    else
                        json.WriteNullValue();
                }
                json.WriteEndArray();
                if (entry.LinearAlgebra is { } algebra)
                    json.WriteString("linear_algebra", algebra);
            });
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The entries, or null where the journal is empty or another merge's. A line cut short ends it.</summary>
    private static List<JournalEntry>? Read(FileStream file, string fingerprint)
    {
        using var reader = new StreamReader(file, Encoding.UTF8, leaveOpen: true);
        var text = reader.ReadToEnd();
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        try
        {
            if (lines.Length == 0 || Parse(lines[0]).GetProperty("fingerprint").GetString() != fingerprint)
                return null;
            var entries = lines.Skip(1).Select(line => Entry(Parse(line))).ToList();
            file.SetLength(Encoding.UTF8.GetByteCount(text.AsSpan(0, text.LastIndexOf('\n') + 1)));
            file.Seek(0, SeekOrigin.End);
            return entries;
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Tensors that another merge than this has finished; 0 for a journal that cannot be read.</summary>
    private static int FinishedByAnother(FileStream file, string fingerprint)
    {
        file.Position = 0;
        using var reader = new StreamReader(file, Encoding.UTF8, leaveOpen: true);
        try
        {
            return Parse(reader.ReadLine() ?? "").GetProperty("fingerprint").GetString() == fingerprint
                ? 0
                : reader.ReadToEnd().Count(c => c == '\n');
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return 0;
        }
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    private static JournalEntry Entry(JsonElement line) => new(
        line.GetProperty("tensor").GetString() ?? throw new FormatException("an entry without a tensor"),
        line.GetProperty("crc32c").GetUInt32(),
        [.. line.GetProperty("inputs").EnumerateArray().Select(i => i.ValueKind == JsonValueKind.Null ? (uint?)null : i.GetUInt32())],
        line.TryGetProperty("linear_algebra", out var algebra) ? algebra.GetString() : null);

    private static void Append(FileStream file, Action<Utf8JsonWriter> write)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        file.Write(line.GetBuffer().AsSpan(0, (int)line.Length));
        file.Flush();
    }
}

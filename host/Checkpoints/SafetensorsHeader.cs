using System.Text.Json;
using System.Text.Unicode;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// The checked header of one file. Reading takes memory in proportion to the header's length, which is within the file
/// and the format's limit; no number in it sizes an allocation.
/// </summary>
/// <param name="Tensors">In the order of their bytes.</param>
/// <param name="Metadata">The text pairs under <c>__metadata__</c>.</param>
internal sealed record SafetensorsHeader(
    IReadOnlyList<StoredTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private const int MostProblems = 20;

    /// <summary>Reads and checks a header.</summary>
    /// <exception cref="MergeException">With everything wrong in it, up to a readable number.</exception>
    public static SafetensorsHeader Read(CheckpointFile file)
    {
        var json = new byte[file.DataStart - 8];
        file.Read(8, json);
        var reader = new HeaderReader(file);
        if (json.Length == 0 || json[0] != (byte)'{')
        {
            reader.Report("the header does not start with '{'", 0);
        }
        else if (!Utf8.IsValid(json))
        {
            reader.Report("the header is not UTF-8", 0);
        }
        else
        {
            var tokens = new Utf8JsonReader(json);
            try
            {
                reader.ReadAll(ref tokens);
            }
            catch (JsonException e)
            {
                reader.Report($"the header is not JSON: {Reason(e)}", tokens.BytesConsumed);
            }
            catch (InvalidOperationException)
            {
                // What Utf8JsonReader throws for an escape such as \ud800: half a character.
                reader.Report("the header holds a text that is not Unicode", tokens.TokenStartIndex);
            }
        }
        reader.CheckLayout();
        var problems = reader.Problems;
        if (problems.Count == 0)
            return new SafetensorsHeader(reader.Tensors, reader.Metadata);
        if (problems.Count > MostProblems)
        {
            var more = $"{problems.Count - MostProblems} more problems of this kind";
            problems = [.. problems.Take(MostProblems), new Diagnostic(more) { Where = file.Path }];
        }
        throw new MergeException(problems);
    }

    // System.Text.Json appends its own positions, which count lines of a file that has none.
    private static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? e.Message : e.Message[..end]).TrimEnd('.', ' ');
    }
}

using System.Text.Json;
using Merge.Checkpoints;
using Merge.Scoring;
using Merge.Search;

namespace Merge.Commands;

/// <summary>What a finished search or soup found, kept in its folder for <c>merge trials</c>: the journal has the trials alone.</summary>
internal static class FindingsFile
{
    /// <exception cref="Sdk.MergeException">The disk is full or fails.</exception>
    public static void Write(SearchSession session, SearchOutcome outcome)
    {
        if (outcome.Best is null)
            return;
        var path = session.Request.Folder.Findings;
        try
        {
            File.WriteAllText(path, JsonText.Of(json => SearchListing.WriteFindings(json, session, outcome)) + "\n");
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk);
        }
    }

    /// <summary>What was found when the search last came to its end; null where it has not, or nothing can be read.</summary>
    public static JsonElement? Read(SearchFolder folder)
    {
        try
        {
            return File.Exists(folder.Findings) ? JsonElement.Parse(File.ReadAllText(folder.Findings)) : null;
        }
        catch (Exception fault) when (FileProblem.Is(fault) || fault is JsonException)
        {
            return null;
        }
    }

    /// <summary>The sentences, and after how many trials they were written.</summary>
    public static (int Trials, IReadOnlyList<string> Sentences)? Conclusions(JsonElement findings) =>
        findings.ValueKind is JsonValueKind.Object
        && findings.TryGetProperty("trials", out var trials) && trials.TryGetInt32(out var count)
        && findings.TryGetProperty("conclusions", out var sentences) && sentences.ValueKind is JsonValueKind.Array
            ? (count, [.. sentences.EnumerateArray().Select(s => s.ToString())])
            : null;
}

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

    /// <summary>The sentences, which trial they are of, and after how many they were written.</summary>
    public static (int Trials, int Best, IReadOnlyList<string> Sentences)? Conclusions(JsonElement findings)
    {
        try
        {
            return (findings.GetProperty("trials").GetInt32(), findings.GetProperty("best").GetProperty("trial").GetInt32(),
                [.. findings.GetProperty("conclusions").EnumerateArray().Select(s => s.ToString())]);
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Changed by hand: the journal stands without it.
            return null;
        }
    }
}

using Merge.Checkpoints;

namespace Merge.Scoring;

/// <summary>What an evaluator printed on one trial, all attempts.</summary>
internal sealed class TrialLog
{
    /// <summary>What the line begins with that separates attempts.</summary>
    public const string Attempt = "[attempt ";

    public BoundedText Errors { get; } = new();

    /// <summary>Standard output; kept where the trial fails.</summary>
    public BoundedText Output { get; } = new();

    /// <summary>Separates attempts.</summary>
    public void BeginAttempt(int number)
    {
        if (number == 1)
            return;
        foreach (var text in new[] { Errors, Output }.Where(t => !t.IsEmpty))
            text.Append($"\n{Attempt}{number}]\n");
    }

    /// <summary>Writes <c>LABEL.SPLIT.stderr</c>, and after a failure <c>….stdout</c>, where there is something to
    /// write.</summary>
    /// <returns>The file a person should look at first, or null.</returns>
    /// <exception cref="Merge.Sdk.MergeException">The disk is full or fails.</exception>
    public string? Write(string folder, string label, string split, bool hasFailed)
    {
        var name = Path.Combine(folder, $"{Plain(label)}.{Plain(split)}");
        var output = hasFailed ? Write($"{name}.stdout", Output) : null;
        return Write($"{name}.stderr", Errors) ?? output;
    }

    private static string? Write(string path, BoundedText text)
    {
        if (text.IsEmpty)
            return null;
        var bytes = text.ToArray();
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
            return path;
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk);
        }
    }

    private static string Plain(string name) =>
        new([.. name.Take(100).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_')]);
}

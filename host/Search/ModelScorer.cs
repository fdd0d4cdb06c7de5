using System.Security.Cryptography;
using System.Text;
using Merge.Checkpoints;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>Has models that are there already scored, each as it is: an evaluator gets a copy, never the user's own folder.</summary>
/// <param name="scorer">Scores them.</param>
/// <param name="copies">Where an evaluator needs folders; else null will do.</param>
internal sealed class ModelScorer(Scorer scorer, ModelCopies? copies)
{
    /// <summary>
    /// The score of a model. Where it cannot be given to the evaluator, that is its score's error, and nobody was asked.
    /// </summary>
    /// <param name="checkpoint">The model, or the adapter.</param>
    /// <param name="folder">Where it lies; null: it has no folder of its own.</param>
    /// <param name="label">See <see cref="StoredCandidate.Label"/>.</param>
    /// <param name="split">As the evaluator knows it.</param>
    /// <param name="cancellation">Nobody wants it any more.</param>
    /// <exception cref="MergeException">No model can be scored: see <see cref="Scorer.Score"/>.</exception>
    public async Task<TrialScore> Score(
        Checkpoint checkpoint, string? folder, string label, string split, CancellationToken cancellation)
    {
        if (scorer.NeedsFolder && folder is null)
            return Unasked("it is a single file, and the evaluator needs a folder");
        if (scorer.NeedsFolder && HasAdapters(checkpoint))
            return Unasked("it is a model with adapters in it, which has no folder of its own");
        var id = IdOf(checkpoint);
        // A copy takes long.
        if (scorer.Known(id, split) is { } known)
            return known;
        ModelCopy? copy = null;
        try
        {
            copy = scorer.NeedsFolder ? await copies!.Of(folder!, cancellation) : null;
        }
        catch (Exception fault) when (fault is MergeException || FileProblem.Is(fault))
        {
            return Unasked($"it cannot be copied for the evaluator: {(fault as MergeException)?.Diagnostics[0].Found ?? fault.Message}");
        }
        // The copy goes with the candidate: an evaluation that ignores its end may still be reading it.
        using var candidate = new CheckpointCandidate(id, checkpoint, copy) { Label = label };
        return await scorer.Score(candidate, split, cancellation);
    }

    /// <summary>Whether adapters were put into it when it was opened: no folder holds that model.</summary>
    public static bool HasAdapters(Checkpoint checkpoint) => checkpoint.Key != checkpoint.Path;

    /// <summary>Equal for the same files, as far as their sizes and times tell.</summary>
    public static string IdOf(Checkpoint checkpoint) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n', checkpoint.Files.Select(f => $"{f.Path} {f.Size} {f.LastWrite.Ticks}").Prepend(checkpoint.Key)))).AsSpan(0, 16));

    private static TrialScore Unasked(string why) => TrialScore.Without(ScoreStatus.Failed, why, 0) with { Attempts = 0 };
}

using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Merge.Merging;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// Merges points, as many in one pass as there is room for, and has each scored while the others are: the scores come in the
/// order of the points, whichever was first.
/// </summary>
/// <param name="planned">What the points are points of.</param>
/// <param name="merge">Merges them.</param>
/// <param name="place">Where they wait for their scores.</param>
/// <param name="scorer">Scores them.</param>
/// <param name="recipeDigest">Of everything but the point that decides a candidate's weights.</param>
internal sealed class PointScorer(
    PlannedSpace planned, GenerationMerge merge, CandidatePlace place, Scorer scorer, string recipeDigest) : IPointScorer
{
    public async IAsyncEnumerable<PointScore> Score(
        IReadOnlyList<PointToScore> points, string split, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var batch in points.Chunk(place.Fits))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var clock = Stopwatch.StartNew();
            var merged = Merge(batch, cancellation);
            var mergeSeconds = clock.Elapsed.TotalSeconds / batch.Length;
            var scores = merged.Select(m => Score(m, split, stop.Token)).ToArray();
            try
            {
                foreach (var score in scores)
                    yield return new(await score, mergeSeconds);
            }
            finally
            {
                // Where nobody waits for the rest any more, it need not be scored; but its candidates are in use until it ends.
                await stop.CancelAsync();
                await Task.WhenAll(scores).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    private List<(StoredCandidate Candidate, MergedMember Member)> Merge(PointToScore[] batch, CancellationToken cancellation)
    {
        var candidates = new List<StoredCandidate>();
        try
        {
            foreach (var point in batch)
                candidates.Add(place.Create(IdOf(point), planned.Options.Named(point.Point), Label(point)));
            var members = batch.Zip(candidates, (p, c) => new GenerationMember(OptionsOf(p.Point), c.Sink!));
            return [.. candidates.Zip(merge.Run([.. members], cancellation))];
        }
        catch
        {
            candidates.ForEach(c => c.Dispose());
            throw;
        }
    }

    private async Task<TrialScore> Score((StoredCandidate Candidate, MergedMember Member) merged, string split, CancellationToken stop)
    {
        using var candidate = merged.Candidate;
        if (merged.Member.Fault is { } fault)
            return TrialScore.Without(ScoreStatus.Failed, $"it cannot be merged: {fault.Message}", 0);
        var score = await scorer.Score(candidate, split, stop);
        // A model that holds NaN explains most failures of its evaluation.
        return score.Objective is null && merged.Member.Findings.Count > 0
            ? score with { Error = $"{score.Error}; {merged.Member.Findings[0]}" }
            : score;
    }

    // What a record refuses stops the candidate, not its generation: it says so when it is asked.
    private Func<Planning.TensorPlan, object> OptionsOf(IReadOnlyList<double> point)
    {
        try
        {
            return planned.Candidates.At(point);
        }
        catch (MergeException refused)
        {
            return _ => throw refused;
        }
    }

    private static string Label(PointToScore point) =>
        point.Trial is { } trial ? string.Create(CultureInfo.InvariantCulture, $"trial-{trial:000000}") : "check";

    /// <summary>Equal for equal weights of the same recipe.</summary>
    private string IdOf(PointToScore point)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(recipeDigest));
        Span<byte> bits = stackalloc byte[sizeof(double)];
        foreach (var value in point.Point)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bits, value);
            hash.AppendData(bits);
        }
        var id = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
        // A measurement that is repeated must not be answered from what is known.
        return point.Repeat == 0 ? id : string.Create(CultureInfo.InvariantCulture, $"{id}-{point.Repeat}");
    }
}

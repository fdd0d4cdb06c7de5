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
/// <param name="metrics">Those whose scores of single examples are kept: what nobody compares by is not worth a journal's line.</param>
/// <param name="recipeDigest">Of everything but the point that decides a candidate's weights.</param>
internal sealed class PointScorer(
    PlannedSpace planned, GenerationMerge merge, CandidatePlace place, Scorer scorer, IReadOnlySet<string> metrics, string recipeDigest)
    : IPointScorer
{
    private bool _hasMerged;

    public async IAsyncEnumerable<PointScore> Score(
        IReadOnlyList<PointToScore> points, string split, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var batch in points.Chunk(place.Fits))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var clock = Stopwatch.StartNew();
            var merged = Merge(batch, split, cancellation);
            var mergeSeconds = clock.Elapsed.TotalSeconds / batch.Length;
            var scores = merged.Select(m => m.Score(scorer, split, stop.Token)).ToArray();
            try
            {
                foreach (var scoring in scores)
                {
                    var score = await scoring;
                    yield return new(
                        score with { Examples = score.Examples.Where(e => metrics.Contains(e.Key)).ToDictionary() }, mergeSeconds);
                }
            }
            finally
            {
                // Where nobody waits for the rest any more, it need not be scored; but its candidates are in use until it ends.
                await stop.CancelAsync();
                await Task.WhenAll(scores).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    private List<Merged> Merge(PointToScore[] batch, string split, CancellationToken cancellation)
    {
        var all = new List<Merged>();
        try
        {
            foreach (var point in batch)
            {
                var id = IdOf(point);
                var known = point.Repeat == 0 ? scorer.Known(id, split) : null;
                all.Add(new(point, known, known is null ? place.Create(id, planned.Options.Named(point.Point), Label(point)) : null));
            }
            Merged[] made = [.. all.Where(m => m.Candidate is not null)];
            if (made.Length == 0)
                return all;
            var results = merge.Run(
                [.. made.Select(m => new GenerationMember(OptionsOf(m.Point), m.Candidate!.Sink!))], cancellation);
            if (results.Select(r => r.Fault).OfType<CandidateNotWritten>().FirstOrDefault() is { } unwritten)
                throw unwritten;
            CheckMethod(results);
            foreach (var (merged, result) in made.Zip(results))
                merged.Result = result;
            return all;
        }
        catch
        {
            all.ForEach(m => m.Candidate?.Dispose());
            throw;
        }
    }

    // A method that refuses every point of the first generation for one reason refuses the recipe, not points.
    private void CheckMethod(IReadOnlyList<MergedMember> results)
    {
        if (!_hasMerged && results is [{ Fault: MergeException fault }, _, ..] && results.All(r => r.Fault?.Message == fault.Message))
            throw fault;
        _hasMerged |= results.Any(r => r.Fault is null);
    }

    // What a record refuses stops the candidate, not its generation: it says so when it is asked.
    private Func<Planning.TensorPlan, object> OptionsOf(PointToScore point)
    {
        if (ReferenceEquals(point, PointToScore.AsWritten))
            return tensor => tensor.Options!;
        try
        {
            return planned.Candidates.At(point.Point);
        }
        catch (MergeException refused)
        {
            return _ => throw refused;
        }
    }

    private static string Label(PointToScore point) =>
        point.Trial is { } trial ? string.Create(CultureInfo.InvariantCulture, $"trial-{trial:000000}") : "as-written";

    /// <summary>Equal for equal weights of the same recipe.</summary>
    private string IdOf(PointToScore point)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(recipeDigest));
        Span<byte> bits = stackalloc byte[sizeof(double)];
        if (ReferenceEquals(point, PointToScore.AsWritten))
            hash.AppendData("as written"u8);
        foreach (var value in point.Point)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bits, value);
            hash.AppendData(bits);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    private static TrialScore Unmerged(Exception fault)
    {
        if (fault is not MergeException { Diagnostics: [var first, ..] })
            return TrialScore.Without(ScoreStatus.Failed, $"it cannot be merged: {fault.Message}", 0);
        // What to do about a recipe, or a plugin, does not help with a point.
        return TrialScore.Without(ScoreStatus.Failed, $"it cannot be merged: {first with { Fix = null }}", 0) with { Actor = first.Actor };
    }

    /// <summary>A point on its way to its score.</summary>
    private sealed record Merged(PointToScore Point, TrialScore? Known, StoredCandidate? Candidate)
    {
        public MergedMember? Result { get; set; }

        public async Task<TrialScore> Score(Scorer scorer, string split, CancellationToken stop)
        {
            if (Known is not null)
                return Known;
            using var candidate = Candidate!;
            if (Result!.Fault is { } fault)
                return Unmerged(fault);
            var score = await (Point.Repeat == 0
                ? scorer.Score(candidate, split, stop) : scorer.Measure(candidate, split, stop));
            // A model that holds NaN explains most failures of its evaluation.
            return score.Objective is null && Result.Findings.Count > 0
                ? score with { Error = $"{score.Error}; {Result.Findings[0]}" }
                : score;
        }
    }
}

using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// Pending statistics of one tensor: sweeps over its bytes until all are known. One sweep does for all but exact cuts
/// and order statistics, which need another one or two.
/// </summary>
internal sealed class TensorStatistics
{
    // Segments are no smaller, and no more than 64 of a large tensor.
    private const long SmallestSegment = 1 << 20;
    public const int MostSegments = 64;

    private readonly TensorInfo _info;
    private readonly IReadOnlyList<StatRequest> _requests;
    private readonly ICompiler _compiler;
    private readonly Func<InputKey, DType> _inputType;
    private readonly ulong _seed;
    private readonly Func<InputKey, Node?>? _substitute;
    private readonly DrawMemory? _draws;
    private readonly List<Reduction> _once = [];
    private readonly List<SelectionReduction> _own = [];
    private readonly List<SelectionReduction> _selections = [];
    private readonly Dictionary<StatRequest, Action> _complete = new(ReferenceEqualityComparer.Instance);
    private long _segmentLength;
    private bool _askedForSample;
    private bool _begun;

    /// <param name="info">The tensor.</param>
    /// <param name="requests">What is asked of it.</param>
    /// <param name="shared">Selections it has a part in, its number there, and the score.</param>
    /// <param name="compiler">Makes the kernels.</param>
    /// <param name="inputType">Stored type of a streamed tensor.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="substitute">See <see cref="Recording.Of"/>.</param>
    /// <param name="draws">See <see cref="ICompiler.Compile"/>.</param>
    public TensorStatistics(
        TensorInfo info,
        IReadOnlyList<StatRequest> requests,
        IReadOnlyList<(ScoreSelection Selection, int Member, Node Score)> shared,
        ICompiler compiler,
        Func<InputKey, DType> inputType,
        ulong seed,
        Func<InputKey, Node?>? substitute = null,
        DrawMemory? draws = null)
    {
        (_info, _requests, _compiler) = (info, requests, compiler);
        (_inputType, _seed, _substitute, _draws) = (inputType, seed, substitute, draws);
        var equal = EqualRequests.Of(info, requests, substitute);
        foreach (var group in equal)
            Prepare(group);
        PrepareSelections([.. equal.Where(e => !_complete.ContainsKey(e[0]) && e[0] is LargestRequest or OrderRequest)]);
        _selections.AddRange(_own);
        _selections.AddRange(shared.Select(s => new SelectionReduction(s.Selection, s.Member, s.Score)));
        // Before any tensor of a selection that is shared is sampled.
        if (_info.Count > ScoreSelection.MostUnsampled && Wanting() is { Count: > 0 } wanting
            && RunsFor(wanting) is var (segment, run) && IsMuch(segment, run))
            SkipSamples();
    }

    /// <summary>A sweep that takes the samples that are wanted; null if none is. To be called once, before others.</summary>
    public TensorSweep? Sample()
    {
        _askedForSample = true;
        var sampled = Wanting();
        if (sampled.Count == 0)
            return null;
        var (segment, run) = RunsFor(sampled);
        return new(_info, sampled, segment, _compiler, _inputType, _seed, _substitute, _draws, run);
    }

    /// <summary>The next sweep to run; null when all is known.</summary>
    public TensorSweep? Next()
    {
        if (_begun)
        {
            foreach (var selection in _own.Where(s => s.Wanted))
                selection.Selection.Advance();
        }
        else
        {
            if (!_askedForSample && Sample() is { } sample)
                return sample;
            foreach (var selection in _own.Where(s => s.Selection.WantsSample))
                selection.Selection.Advance();
        }
        List<Reduction> pending = [.. _begun ? [] : _once, .. _selections.Where(s => s.Wanted)];
        var first = !_begun;
        _begun = true;
        if (pending.Count == 0)
            return null;
        if (_info.Count == 0)
        {
            foreach (var reduction in pending)
                reduction.Finish([]);
            return null;
        }
        if (first)
            _segmentLength = SegmentLength(pending);
        return new(_info, pending, _segmentLength, _compiler, _inputType, _seed, _substitute, _draws);
    }

    /// <summary>Gives every statistic its value, which runs what waits for it.</summary>
    public void Complete()
    {
        foreach (var request in _requests)
            _complete[request]();
    }

    // Segments with a run in each; one where that would be much of a small tensor.
    private (long Segment, long Run) RunsFor(List<SelectionReduction> sampled)
    {
        var recording = Recording.Of(_info, [.. sampled.SelectMany(r => r.Operands)], _substitute);
        var unit = TensorSweep.UnitOf(_info, sampled, recording);
        var run = (ScoreSample.RunLength + unit - 1) / unit * unit;
        var segment = _info.Count / sampled.Max(s => s.SampleRuns) / unit * unit;
        return IsMuch(segment, run) && _info.Count <= ScoreSelection.MostUnsampled
            ? (_info.Count, _info.Count)
            : (Math.Max(segment, run), run);
    }

    private static bool IsMuch(long segment, long run) => segment < 4 * run;

    private List<SelectionReduction> Wanting() =>
        _info.Count == 0 ? [] : [.. _selections.Where(s => s.Selection.WantsSample)];

    private void SkipSamples()
    {
        foreach (var selection in Wanting())
            selection.Selection.SkipSample();
    }

    private void Prepare(StatRequest[] equal)
    {
        switch (equal[0])
        {
            case SumRequest sum:
                _once.Add(new SumReduction([sum.Value], [(0, -1)], s => Set(equal, s[0])));
                break;
            case DotRequest dot:
                _once.Add(new SumReduction([dot.A, dot.B], [(0, 1)], s => Set(equal, s[0])));
                break;
            case GramRequest gram:
                _once.Add(Gram(gram, equal));
                break;
            case CountRequest count:
                _once.Add(new CountReduction(count.Mask, n => Set(equal, n)));
                break;
            case RangeRequest range:
                _once.Add(new RangeReduction(range.Value, r => Set(equal, r)));
                break;
            case RowSumsRequest rows:
                _once.Add(new RowSumsReduction(_info, rows.Value, s => Set(equal, s, v => [.. v])));
                break;
            case ColumnSumsRequest columns:
                _once.Add(new ColumnSumsReduction(_info, columns.Value, s => Set(equal, s, v => [.. v])));
                break;
            case MaterializeRequest matrix:
                _once.Add(new MaterializeReduction(_info, matrix.Value, m => Set(equal, m)));
                break;
            case ProductRequest product:
                _once.Add(new ProductReduction(_info, product.Value, product.Right, m => Set(equal, m)));
                break;
            case TransposedProductRequest product:
                _once.Add(new TransposedProductReduction(_info, product.Value, product.Left, m => Set(equal, m)));
                break;
            case LargestRequest { Keep: <= 0 }:
                Set(equal, Cut.KeepNone);
                break;
            case LargestRequest all when all.Keep >= _info.Count:
                Set(equal, Cut.KeepAll);
                break;
        }
    }

    /// <summary>Notes what equal requests are to be given; what a strategy could write to, each gets its own copy of.</summary>
    private void Set<T>(StatRequest[] equal, T value, Func<T, T>? copy = null)
    {
        foreach (var (k, request) in equal.Index())
        {
            var own = k == 0 || copy is null ? value : copy(value);
            _complete[request] = () => ((StatRequest<T>)request).Stat.Complete(own);
        }
    }

    private SumReduction Gram(GramRequest request, StatRequest[] equal)
    {
        var size = request.Values.Count;
        (int A, int B)[] pairs =
            [.. from i in Enumerable.Range(0, size) from j in Enumerable.Range(i, size - i) select (i, j)];
        return new(request.Values, pairs, sums =>
        {
            var gram = new Matrix(size, size);
            for (var k = 0; k < pairs.Length; k++)
                gram[pairs[k].A, pairs[k].B] = gram[pairs[k].B, pairs[k].A] = sums[k];
            Set(equal, gram, m => new(m.Rows, m.Columns, [.. m.Values]));
        });
    }

    // Cuts and order statistics of one score share its counts, few enough to a selection that a sample serves them.
    private void PrepareSelections(StatRequest[][] wanted)
    {
        Node[] scores = [.. wanted.Select(w => w[0] is LargestRequest l ? l.Score : ((OrderRequest)w[0]).Score)];
        var terms = Recording.Of(_info, scores, _substitute).Roots;
        foreach (var ofScore in wanted.Index().GroupBy(w => terms[w.Index]))
        {
            var group = new List<StatRequest[]>();
            var ranks = new List<(long Rank, long Keep)>();
            foreach (var (_, equal) in ofScore)
            {
                var own = RanksOf(equal[0]);
                var mustSample = _info.Count > ScoreSelection.MostUnsampled;
                if (mustSample && group.Count > 0 && ranks.Count + own.Length > ScoreSelection.MostSampledRanks)
                {
                    Select(scores[ofScore.First().Index], group, ranks);
                    (group, ranks) = ([], []);
                }
                group.Add(equal);
                ranks.AddRange(own);
            }
            Select(scores[ofScore.First().Index], group, ranks);
        }
    }

    private (long Rank, long Keep)[] RanksOf(StatRequest request) => request is LargestRequest largest
        ? [(_info.Count - largest.Keep, largest.Keep)]
        : [.. ((OrderRequest)request).Ranks.Select(r => (r, -1L))];

    private void Select(Node score, List<StatRequest[]> group, List<(long Rank, long Keep)> ranks)
    {
        var selection = new ScoreSelection(ranks, _info.Count);
        _own.Add(new(selection, 0, score));
        var first = 0;
        foreach (var equal in group)
        {
            var (target, length) = (first, RanksOf(equal[0]).Length);
            first += length;
            foreach (var request in equal)
            {
                _complete[request] = request is LargestRequest largest
                    ? () => largest.Stat.Complete(selection.CutOf(target, 0))
                    : () => ((OrderRequest)request).Stat.Complete(
                        [.. Enumerable.Range(target, length).Select(selection.Score)]);
            }
        }
    }

    private long SegmentLength(List<Reduction> reductions)
    {
        var recording = Recording.Of(_info, [.. reductions.SelectMany(r => r.Operands)], _substitute);
        var step = TensorSweep.UnitOf(_info, reductions, recording);
        foreach (var reduction in reductions)
            step = LeastCommonMultiple(step, reduction.SegmentUnit);
        var length = Math.Max(SmallestSegment, (_info.Count + MostSegments - 1) / MostSegments);
        // Blocks of single elements begin at whole bytes of a bit mask.
        if (step == 1)
            step = 64;
        return step >= _info.Count ? _info.Count : (length + step - 1) / step * step;
    }

    private static long LeastCommonMultiple(long a, long b)
    {
        var (x, y) = (a, b);
        while (y != 0)
            (x, y) = (y, x % y);
        return (long)Int128.Min((Int128)a / x * b, long.MaxValue / 4);
    }
}

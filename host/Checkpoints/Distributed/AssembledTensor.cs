using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>A part of a tensor in another: a box of its indices.</summary>
/// <param name="Source">What holds it, its elements one after another.</param>
/// <param name="Start">The part's first element in the source.</param>
/// <param name="Offsets">Where the box begins in the whole, a dimension each.</param>
/// <param name="Sizes">How large it is, a dimension each.</param>
internal sealed record Chunk(TensorSource Source, long Start, ImmutableArray<long> Offsets, ImmutableArray<long> Sizes);

/// <summary>
/// A tensor whose parts lie in several files, put together while it is read: any of its bytes, and no more memory than
/// is asked for.
/// </summary>
internal sealed record AssembledTensor : TensorSource
{
    private readonly Piece[] _pieces;

    private AssembledTensor(string name, DType dtype, ImmutableArray<long> shape, long length, Piece[] pieces)
        : base(name, dtype, shape, length) => _pieces = pieces;

    /// <summary>A tensor of parts that cover it, each element once.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dtype">Of whole bytes, that of all parts.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="whole">What the chunks are boxes of: the shape, or the number of elements where they are runs.</param>
    /// <param name="chunks">The parts, in any order.</param>
    /// <param name="home">The file a tensor without elements is said to be in.</param>
    public static TensorSource Of(
        string name, DType dtype, ImmutableArray<long> shape, ImmutableArray<long> whole, IEnumerable<Chunk> chunks, CheckpointFile home)
    {
        var size = dtype.Bits() / 8;
        var length = shape.Aggregate((long)size, (n, s) => checked(n * s));
        Piece[] pieces =
        [
            .. chunks.Where(c => !c.Sizes.Contains(0)).Select(c => Piece.Of(c, whole, size)).OrderBy(p => p.First),
        ];
        if (pieces.Length == 0)
            return new StoredTensor(name, dtype, shape, home, 0, 0);
        return pieces.Length == 1 && pieces[0].Source is StoredTensor stored
            ? stored with { Name = name, Shape = shape, Offset = stored.Offset + pieces[0].Start, Length = length }
            : new AssembledTensor(name, dtype, shape, length, pieces);
    }

    public override IEnumerable<CheckpointFile> Files => _pieces.SelectMany(p => p.Source.Files).Distinct();

    public override void Read(long start, Span<byte> into)
    {
        var end = start + into.Length;
        foreach (var piece in _pieces)
        {
            if (piece.First >= end)
                break;
            for (var run = piece.RunAt(start); run < piece.Runs && piece.Target(run) < end; run++)
            {
                var at = piece.Target(run);
                var (from, to) = (Math.Max(at, start), Math.Min(at + piece.RunBytes, end));
                piece.Source.Read(
                    piece.Start + (run * piece.RunBytes) + from - at,
                    into[checked((int)(from - start))..checked((int)(to - start))]);
            }
        }
    }

    /// <summary>Records compare their parts; a tensor is itself alone.</summary>
    public bool Equals(AssembledTensor? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    /// <summary>A chunk as runs that are consecutive in it and in the whole; all numbers are of bytes but those of runs.</summary>
    private sealed class Piece
    {
        // Of the dimensions outside a run, outermost first: how many indices, and bytes from one to the next.
        private readonly long[] _sizes;
        private readonly long[] _steps;

        private Piece(Chunk chunk, int size, long first, long runBytes, long[] sizes, long[] steps)
        {
            (Source, Start, First, RunBytes) = (chunk.Source, chunk.Start * size, first, runBytes);
            (_sizes, _steps) = (sizes, steps);
            Runs = sizes.Aggregate(1L, (n, s) => n * s);
        }

        public TensorSource Source { get; }

        /// <summary>Of the chunk, in its source.</summary>
        public long Start { get; }

        /// <summary>Of the chunk, in the whole.</summary>
        public long First { get; }

        public long RunBytes { get; }

        public long Runs { get; }

        public static Piece Of(Chunk chunk, ImmutableArray<long> whole, int size)
        {
            var steps = new long[whole.Length];
            for (var (i, n) = (whole.Length - 1, (long)size); i >= 0; n *= whole[i--])
                steps[i] = n;
            var first = steps.Zip(chunk.Offsets, (step, offset) => step * offset).Sum();
            // All of what is within an index is one run, and neighbouring indices run on.
            var outer = whole.Length;
            while (outer > 0 && (outer == whole.Length || chunk.Sizes[outer] == whole[outer]))
                outer--;
            var run = whole.Length == 0 ? size : steps[outer] * chunk.Sizes[outer];
            return new(chunk, size, first, run, [.. chunk.Sizes.Take(outer)], steps[..outer]);
        }

        /// <summary>Where a run begins in the whole; later runs begin later.</summary>
        public long Target(long run)
        {
            var at = First;
            for (var i = _sizes.Length - 1; i >= 0; i--)
            {
                (run, var index) = Math.DivRem(run, _sizes[i]);
                at += index * _steps[i];
            }
            return at;
        }

        /// <summary>The first run that ends behind a byte of the whole.</summary>
        public long RunAt(long start)
        {
            var (low, high) = (0L, Runs);
            while (low < high)
            {
                var middle = low + ((high - low) / 2);
                (low, high) = Target(middle) + RunBytes > start ? (low, middle) : (middle + 1, high);
            }
            return low;
        }
    }
}

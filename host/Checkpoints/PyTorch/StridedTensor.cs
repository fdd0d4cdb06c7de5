using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// A view that is not one run of bytes (transposed, sliced, expanded), gathered while it is read. Memory is one run of
/// elements at a time, whatever the view.
/// </summary>
internal sealed record StridedTensor : TensorSource
{
    private const int MostStackBytes = 4096;

    /// <summary>Elements this near are read in one go, those between them, too.</summary>
    private const int NearBytes = 64;

    private readonly CheckpointFile _file;
    private readonly long _offset;
    private readonly int _size;

    // Of the collapsed view, outermost first: sizes, strides in the storage, strides in the output; in elements.
    private readonly long[] _sizes;
    private readonly long[] _strides;
    private readonly long[] _outer;

    private StridedTensor(
        string name, DType dtype, ImmutableArray<long> shape, long length, long[] sizes, long[] strides, CheckpointFile file, long offset)
        : base(name, dtype, shape, length)
    {
        _file = file;
        _offset = offset;
        _size = dtype.Bits() / 8;
        (_sizes, _strides) = (sizes, strides);
        _outer = new long[sizes.Length];
        for (var (i, n) = (sizes.Length - 1, 1L); i >= 0; n *= sizes[i--])
            _outer[i] = n;
    }

    /// <summary>A view of a file: a stored tensor where its elements lie one after another.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dtype">Of whole bytes.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <param name="strides">Elements from one index to the next, a dimension each.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Its first element's first byte.</param>
    public static TensorSource Of(
        string name, DType dtype, IReadOnlyList<long> shape, IReadOnlyList<long> strides, CheckpointFile file, long offset)
    {
        ImmutableArray<long> sizes = [.. shape];
        var length = checked(sizes.Aggregate(1L, (n, size) => checked(n * size)) * (dtype.Bits() / 8));
        var (collapsed, steps) = Collapse(shape, strides);
        return length == 0 || collapsed.Length == 0 || (collapsed.Length == 1 && steps[0] == 1)
            ? new StoredTensor(name, dtype, sizes, file, offset, length)
            : new StridedTensor(name, dtype, sizes, length, collapsed, steps, file, offset);
    }

    public override IEnumerable<CheckpointFile> Files => [_file];

    public override void Read(long start, Span<byte> into)
    {
        var at = start / _size;
        while (!into.IsEmpty)
        {
            var (dimension, count) = Box(at, into.Length / _size);
            var (source, rest) = (0L, at);
            for (var i = 0; i < _sizes.Length; i++)
            {
                (var index, rest) = Math.DivRem(rest, _outer[i]);
                source += index * _strides[i];
            }
            var elements = count * _outer[dimension];
            Gather(source, dimension, count, into[..checked((int)(elements * _size))]);
            into = into[checked((int)(elements * _size))..];
            at += elements;
        }
    }

    /// <summary>Records compare their parts; a tensor is itself alone.</summary>
    public bool Equals(StridedTensor? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    /// <summary>
    /// The largest box that begins at an element and is consecutive in the output: as many indices of one dimension, and
    /// all of those within it.
    /// </summary>
    private (int Dimension, long Count) Box(long at, long most)
    {
        for (var i = 0; ; i++)
        {
            if (at % _outer[i] == 0 && most >= _outer[i])
                return (i, Math.Min(most / _outer[i], _sizes[i] - (at / _outer[i] % _sizes[i])));
        }
    }

    /// <summary>Reads a box: the dimension nearest in the storage in runs, the others one index after another.</summary>
    private void Gather(long source, int dimension, long count, Span<byte> into)
    {
        var sizes = _sizes.AsSpan(dimension).ToArray();
        sizes[0] = count;
        var strides = _strides.AsSpan(dimension);
        var outer = _outer.AsSpan(dimension);
        var run = -1;
        for (var i = 0; i < sizes.Length; i++)
        {
            // What an expanded dimension repeats is read once.
            if (strides[i] == 0)
                sizes[i] = 1;
            if (sizes[i] > 1 && (run < 0 || strides[i] < strides[run]))
                run = i;
        }
        var (length, step, place) = run < 0 ? (1, 1, 0) : (sizes[run], strides[run], outer[run]);
        var index = new long[sizes.Length];
        var target = 0L;
        while (true)
        {
            ReadRun(source, length, step, into[checked((int)(target * _size))..], place);
            var i = sizes.Length - 1;
            for (; i >= 0; i--)
            {
                if (i == run)
                    continue;
                source += strides[i];
                target += outer[i];
                if (++index[i] < sizes[i])
                    break;
                source -= strides[i] * sizes[i];
                target -= outer[i] * sizes[i];
                index[i] = 0;
            }
            if (i < 0)
                break;
        }
        Repeat(dimension, count, into);
    }

    /// <summary>Fills the other indices of expanded dimensions from the first, from the innermost outwards.</summary>
    private void Repeat(int dimension, long count, Span<byte> into)
    {
        for (var i = _sizes.Length - 1; i >= dimension; i--)
        {
            if (_strides[i] != 0)
                continue;
            var part = checked((int)(_outer[i] * _size));
            var whole = checked((int)(part * (i == dimension ? count : _sizes[i])));
            for (var at = 0; at < into.Length; at += whole)
            {
                for (var to = part; to < whole; to += part)
                    into.Slice(at, part).CopyTo(into[(at + to)..]);
            }
        }
    }

    /// <summary>Elements a step apart in the storage, to places a step apart in the output.</summary>
    private void ReadRun(long source, long count, long step, Span<byte> into, long place)
    {
        if (step == 1 && place == 1)
        {
            _file.Read(_offset + (source * _size), into[..checked((int)(count * _size))]);
            return;
        }
        Span<byte> buffer = stackalloc byte[MostStackBytes];
        // One at a time where they are far apart: what is between them would be read for nothing.
        var each = step * _size > NearBytes ? 1 : (MostStackBytes / _size - 1) / step + 1;
        for (long done = 0; done < count;)
        {
            var taken = Math.Min(each, count - done);
            var span = buffer[..checked((int)((((taken - 1) * step) + 1) * _size))];
            _file.Read(_offset + ((source + (done * step)) * _size), span);
            for (long i = 0; i < taken; i++)
            {
                span.Slice((int)(i * step * _size), _size)
                    .CopyTo(into[checked((int)((done + i) * place * _size))..]);
            }
            done += taken;
        }
    }

    /// <summary>The same elements in the same order by fewer dimensions: neighbours that run on are one.</summary>
    private static (long[] Sizes, long[] Strides) Collapse(IReadOnlyList<long> shape, IReadOnlyList<long> strides)
    {
        var (sizes, steps) = (new List<long>(), new List<long>());
        for (var i = 0; i < shape.Count; i++)
        {
            if (shape[i] == 1)
                continue;
            if (sizes.Count > 0 && steps[^1] == strides[i] * (Int128)shape[i])
            {
                (sizes[^1], steps[^1]) = (sizes[^1] * shape[i], strides[i]);
                continue;
            }
            sizes.Add(shape[i]);
            steps.Add(strides[i]);
        }
        return ([.. sizes], [.. steps]);
    }
}

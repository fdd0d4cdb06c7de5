using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>
/// An embedding whose rows are permuted and filled while it is read: the merge sees the output's rows, and no copy of
/// the embedding is ever held. What is read does not depend on where a read begins or ends.
/// </summary>
internal sealed record MappedTensor : TensorSource
{
    private const int ChunkBytes = 1 << 16;

    private readonly RowMap _map;
    private readonly IReadOnlyList<TensorSource?> _models;
    private readonly long _rowLength;
    private readonly Lazy<float[]> _average;

    private MappedTensor(TensorSource own, RowMap map, IReadOnlyList<TensorSource?> models, DType dtype)
        : base(own.Name, dtype, [map.Rows, .. own.Shape.Skip(1)], map.Rows * RowLengthOf(own) * (dtype.Bits() / 8))
    {
        _map = map;
        _models = models;
        _rowLength = RowLengthOf(own);
        _average = new(Average);
    }

    /// <summary>The embedding as it is where the map changes nothing, else one that follows the map.</summary>
    /// <param name="map">Where its rows come from.</param>
    /// <param name="models">The tensor in each model, alike but for their rows; null where the map needs none.</param>
    public static TensorSource Of(RowMap map, IReadOnlyList<TensorSource?> models)
    {
        var own = models[map.Model]!;
        return map.IsIdentity(own.Shape[0]) ? own : new MappedTensor(own, map, models, TypeOf(map, own, models));
    }

    /// <summary>The models whose rows a map takes.</summary>
    public static IEnumerable<int> Needed(RowMap map) =>
        map.Runs.Where(r => r.Origin == RowOrigin.Copy).Select(r => r.Model)
            .Concat(map.Means.SelectMany(m => m).Select(r => r.Model)).Append(map.Model).Distinct();

    public override IEnumerable<CheckpointFile> Files => Needed(_map).Order().OrderByDescending(m => m == _map.Model)
        .SelectMany(m => _models[m]!.Files).Distinct();

    public override void Read(long start, Span<byte> into)
    {
        var size = DType.Bits() / 8;
        var at = start / size;
        while (!into.IsEmpty)
        {
            var run = _map.RunOf(at / _rowLength);
            // A copy is read through to its end; the others row by row.
            var end = run.Origin == RowOrigin.Copy ? run.End : (at / _rowLength) + 1;
            var count = (int)Math.Min((end * _rowLength) - at, into.Length / size);
            ReadRun(run, at, into[..(count * size)]);
            into = into[(count * size)..];
            at += count;
        }
    }

    /// <summary>Records compare their parts; a tensor is itself alone.</summary>
    public bool Equals(MappedTensor? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private void ReadRun(RowRun run, long at, Span<byte> into)
    {
        var (row, column) = Math.DivRem(at, _rowLength);
        switch (run.Origin)
        {
            case RowOrigin.Copy when _models[run.Model]!.DType == DType:
                _models[run.Model]!.Read(ByteOf(run.Model, run.Row + row - run.First, column), into);
                break;
            case RowOrigin.Copy:
                ReadValues(new(run.Model, run.Row + row - run.First), column, Floats(into));
                break;
            case RowOrigin.Mean:
                ReadMean(_map.Means[(int)(run.Row + row - run.First)], column, Floats(into));
                break;
            case RowOrigin.Average:
                _average.Value.AsSpan((int)column, Floats(into).Length).CopyTo(Floats(into));
                break;
            default:
                into.Clear();
                break;
        }
    }

    private void ReadMean(ImmutableArray<ModelRow> rows, long column, Span<float> into)
    {
        var pool = ArrayPool<float>.Shared.Rent(into.Length);
        var values = pool.AsSpan(0, into.Length);
        into.Clear();
        foreach (var row in rows)
        {
            ReadValues(row, column, values);
            for (var i = 0; i < into.Length; i++)
                into[i] += values[i];
        }
        for (var i = 0; i < into.Length; i++)
            into[i] /= rows.Length;
        ArrayPool<float>.Shared.Return(pool);
    }

    private void ReadValues(ModelRow from, long column, Span<float> into)
    {
        var tensor = _models[from.Model]!;
        var size = tensor.DType.Bits() / 8;
        var start = ByteOf(from.Model, from.Row, column);
        var pool = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        while (!into.IsEmpty)
        {
            var count = Math.Min(into.Length, ChunkBytes / size);
            tensor.Read(start, pool.AsSpan(0, count * size));
            StoredValues.Decode(tensor.DType, pool.AsSpan(0, count * size), into);
            into = into[count..];
            start += count * size;
        }
        ArrayPool<byte>.Shared.Return(pool);
    }

    /// <summary>The mean of all rows that have a token, summed in float64 in their order.</summary>
    private float[] Average()
    {
        var sums = new double[_rowLength];
        var values = new float[_rowLength];
        long rows = 0;
        foreach (var run in _map.Runs.Where(r => r.Origin != RowOrigin.Average))
        {
            for (var row = run.First; row < run.End; row++)
            {
                ReadRun(run, row * _rowLength, MemoryMarshal.AsBytes(values.AsSpan()));
                for (var i = 0; i < values.Length; i++)
                    sums[i] += values[i];
            }
            rows += run.Count;
        }
        return [.. sums.Select(s => rows == 0 ? 0 : (float)(s / rows))];
    }

    private long ByteOf(int model, long row, long column) =>
        ((row * _rowLength) + column) * (_models[model]!.DType.Bits() / 8);

    // Bytes go through as they are where every row is some model's of that very dtype; else all are float32.
    private static DType TypeOf(RowMap map, TensorSource own, IReadOnlyList<TensorSource?> models) =>
        map.Runs.All(r => r.Origin == RowOrigin.Zero
            || (r.Origin == RowOrigin.Copy && models[r.Model]!.DType == own.DType))
            ? own.DType
            : DType.F32;

    private static long RowLengthOf(TensorSource tensor) => tensor.Shape.Skip(1).Aggregate(1L, (a, b) => a * b);

    private static Span<float> Floats(Span<byte> bytes) => MemoryMarshal.Cast<byte, float>(bytes);
}

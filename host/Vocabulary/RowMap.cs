using System.Collections.Immutable;

namespace Merge.Vocabulary;

/// <summary>Where a run of rows comes from.</summary>
internal enum RowOrigin
{
    /// <summary>Consecutive rows of one model.</summary>
    Copy,
    /// <summary>Each the mean of some models' rows.</summary>
    Mean,
    /// <summary>Zeros.</summary>
    Zero,
    /// <summary>Rows without a token, each the mean of all rows that have one.</summary>
    Average,
}

/// <summary>Consecutive rows of one origin.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many.</param>
/// <param name="Model">The model a copy is from.</param>
/// <param name="Row">Of a copy: the first row there; of means: the first of <see cref="RowMap.Means"/>.</param>
internal readonly record struct RowRun(RowOrigin Origin, long First, long Count, int Model, long Row)
{
    public long End => First + Count;
}

/// <summary>One row of one model.</summary>
internal readonly record struct ModelRow(int Model, long Row);

/// <summary>What the rows of one model's embedding are, once it speaks the output's vocabulary.</summary>
/// <param name="Model">The model.</param>
/// <param name="Runs">In order, without gaps.</param>
/// <param name="Means">The rows each mean is over.</param>
internal sealed record RowMap(int Model, ImmutableArray<RowRun> Runs, ImmutableArray<ImmutableArray<ModelRow>> Means)
{
    public long Rows => Runs.IsEmpty ? 0 : Runs[^1].End;

    /// <summary>Whether it changes nothing in an embedding of so many rows.</summary>
    public bool IsIdentity(long rows) =>
        Runs is [{ Origin: RowOrigin.Copy, Row: 0 } only] && only.Model == Model && only.Count == rows;

    /// <summary>The first rows of a model.</summary>
    public static RowMap FirstRows(int model, long rows) => new(model, [new(RowOrigin.Copy, 0, rows, model, 0)], []);

    /// <summary>The run a row is in.</summary>
    public RowRun RunOf(long row)
    {
        var (low, high) = (0, Runs.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Runs[middle].First <= row)
                low = middle;
            else
                high = middle - 1;
        }
        return Runs[low];
    }
}

/// <summary>Puts a row map together, row after row; neighbours become one run.</summary>
internal sealed class RowMapBuilder(int model)
{
    private readonly ImmutableArray<RowRun>.Builder _runs = ImmutableArray.CreateBuilder<RowRun>();
    private readonly ImmutableArray<ImmutableArray<ModelRow>>.Builder _means =
        ImmutableArray.CreateBuilder<ImmutableArray<ModelRow>>();

    public void Copy(ModelRow from) => Append(RowOrigin.Copy, from.Model, from.Row);

    public void Zero() => Append(RowOrigin.Zero, 0, 0);

    public void Average(long rows)
    {
        for (long i = 0; i < rows; i++)
            Append(RowOrigin.Average, 0, 0);
    }

    public void Mean(ImmutableArray<ModelRow> of)
    {
        Append(RowOrigin.Mean, 0, _means.Count);
        _means.Add(of);
    }

    public RowMap ToMap() => new(model, _runs.ToImmutable(), _means.ToImmutable());

    private void Append(RowOrigin origin, int from, long row)
    {
        if (_runs.Count > 0 && _runs[^1] is var last && last.Origin == origin && last.Model == from
            && (origin is RowOrigin.Zero or RowOrigin.Average || last.Row + last.Count == row))
        {
            _runs[^1] = last with { Count = last.Count + 1 };
            return;
        }
        _runs.Add(new(origin, _runs.Count == 0 ? 0 : _runs[^1].End, 1, from, row));
    }
}

using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>
/// A weight with adapters in it, put together while it is read, in float32: W + Σ w·s·B·A, plus w·(W' − W) for each DoRA
/// or whole parameter W' of an adapter (a single one of weight 1: W' itself). Without W it is the task vector alone.
/// </summary>
internal sealed record AdaptedTensor : TensorSource
{
    // Elements worked on at a time, about; whole rows by fours, which is what products are quickest with.
    private const int Piece = 1 << 17;
    private const int RowTile = 4;

    private readonly TensorSource? _base;
    private readonly IReadOnlyList<(AdapterModule Module, double Weight)> _plain;
    private readonly IReadOnlyList<DoraUpdate> _doras;
    private readonly IReadOnlyList<(TensorSource Saved, double Weight)> _saved;
    private readonly RecentFactors _recent;
    private readonly long _width;
    private readonly int _piece;

    private AdaptedTensor(
        string name,
        TensorSource? weight,
        ImmutableArray<long> shape,
        IReadOnlyList<(AdapterModule Module, double Weight)> modules,
        IReadOnlyList<(TensorSource Saved, double Weight)> saved,
        RecentFactors recent)
        : base(name, DType.F32, shape, shape.Aggregate(4L, (p, s) => p * s))
    {
        _base = weight;
        _plain = [.. modules.Where(m => m.Module.Magnitude is null)];
        _doras = [.. modules.Where(m => m.Module.Magnitude is not null).Select(m => new DoraUpdate(m.Module, m.Weight, weight!, recent))];
        _saved = saved;
        _recent = recent;
        _width = Math.Max(1, shape.Skip(1).Aggregate(1L, (p, s) => p * s));
        _piece = (int)Math.Min(Math.Max(RowTile, Piece / _width / RowTile * RowTile) * _width, int.MaxValue / 2 / _width * _width);
    }

    /// <param name="name">Its name in the model.</param>
    /// <param name="weight">W.</param>
    /// <param name="modules">The adapters' modules for it, each with its weight w.</param>
    /// <param name="saved">The adapters' own values of the whole parameter.</param>
    /// <param name="recent">Shared by all tensors of a model.</param>
    public static AdaptedTensor Of(
        string name,
        TensorSource weight,
        IReadOnlyList<(AdapterModule Module, double Weight)> modules,
        IReadOnlyList<(TensorSource Saved, double Weight)> saved,
        RecentFactors recent) =>
        new(name, weight, weight.Shape, modules, saved, recent);

    /// <summary>Σ w·s·B·A alone; none of the modules has DoRA, which is nothing without its base.</summary>
    public static AdaptedTensor TaskVector(
        string name, IReadOnlyList<(AdapterModule Module, double Weight)> modules, RecentFactors recent) =>
        new(name, null, [.. modules[0].Module.Shape], modules, [], recent);

    /// <summary>Σ r of a task vector alone; null of a weight with adapters in it.</summary>
    public int? TaskVectorRank => _base is null ? _plain.Sum(m => m.Module.Rank) : null;

    /// <summary>A model's dtype is its base's.</summary>
    public override DType OutputType => _base?.OutputType ?? DType.F32;

    public override long StoredBytes => (_base?.StoredBytes ?? 0)
        + _saved.Sum(s => s.Saved.Length)
        + _plain.Select(p => p.Module).Concat(_doras.Select(d => d.Module)).Sum(m => m.A.Length + m.B.Length + (m.Magnitude?.Length ?? 0));

    /// <summary>Bytes its factors take in memory while it is read.</summary>
    public long FactorBytes =>
        sizeof(float) * _plain.Select(p => p.Module).Concat(_doras.Select(d => d.Module)).Sum(m => m.Rank * (m.Inputs + m.Outputs));

    public override long Grain => _plain.Count + _doras.Count > 0 ? RowTile * _width : 1;

    public override IEnumerable<CheckpointFile> Files =>
        (_base?.Files ?? [])
            .Concat(_plain.Concat(_doras.Select(d => (d.Module, d.Weight)))
                .SelectMany(m => new[] { m.Module.A, m.Module.B, m.Module.Magnitude }).OfType<TensorSource>()
                .Concat(_saved.Select(s => s.Saved)).SelectMany(t => t.Files))
            .Distinct();

    public override void Read(long start, Span<byte> into)
    {
        var at = start / sizeof(float);
        var values = MemoryMarshal.Cast<byte, float>(into);
        var change = _doras.Count > 0 ? ArrayPool<float>.Shared.Rent(Math.Min(_piece, values.Length)) : [];
        while (!values.IsEmpty)
        {
            var count = (int)Math.Min(_piece - (at % _width), values.Length);
            ReadPiece(at, values[..count], change.AsSpan(0, _doras.Count > 0 ? count : 0));
            values = values[count..];
            at += count;
        }
        if (_doras.Count > 0)
            ArrayPool<float>.Shared.Return(change);
    }

    /// <summary>Whether a NaN or an infinity that was read there is of its making: what is stored has none.</summary>
    /// <param name="at">The first element.</param>
    /// <param name="count">How many.</param>
    public bool MakesNonFinite(long at, int count)
    {
        if (_base is null)
            return true;
        // Factors, magnitudes and whole parameters are refused where they hold one.
        var values = new float[Math.Min(count, _piece)];
        for (var done = 0; done < count; done += values.Length)
        {
            var part = values.AsSpan(0, Math.Min(values.Length, count - done));
            StoredValues.Read(_base, at + done, part);
            if (!FactorValues.AreFinite(part))
                return false;
        }
        return true;
    }

    /// <summary>Records compare their parts; a tensor is itself alone.</summary>
    public bool Equals(AdaptedTensor? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private void ReadPiece(long at, Span<float> values, Span<float> change)
    {
        if (_plain.Count + _doras.Count == 0 && _saved is [{ Weight: 1 } only])
        {
            StoredValues.Read(only.Saved, at, values);
            FactorValues.Check(only.Saved, values);
            return;
        }
        if (_base is null)
        {
            using var alone = Plain();
            alone.Factors.Read(at, values);
            return;
        }
        StoredValues.Read(_base, at, values);
        if (_plain.Count + _saved.Count == 0 && _doras is [{ Weight: 1 } dora])
        {
            dora.Apply(at, values, change);
            return;
        }
        var hasOthers = _doras.Count + _saved.Count > 0;
        var weight = hasOthers ? values.ToArray() : [];
        if (_plain.Count > 0)
        {
            using var plain = Plain();
            plain.Factors.AddTo(at, values);
        }
        var other = hasOthers ? new float[values.Length] : [];
        foreach (var update in _doras)
        {
            weight.CopyTo(other, 0);
            update.Apply(at, other, change);
            AddWeighted(values, other, weight, update.Weight);
        }
        foreach (var (saved, share) in _saved)
        {
            StoredValues.Read(saved, at, other);
            FactorValues.Check(saved, other);
            AddWeighted(values, other, weight, share);
        }
    }

    private static void AddWeighted(Span<float> values, ReadOnlySpan<float> other, ReadOnlySpan<float> weight, double share)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] += (float)(share * ((double)other[i] - weight[i]));
    }

    private RecentFactors.Loan Plain() => _recent.Of(this, () => FactorProduct.Of(_plain));
}

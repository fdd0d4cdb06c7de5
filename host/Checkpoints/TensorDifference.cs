namespace Merge.Checkpoints;

/// <summary>Whether two tensors of one shape hold other values.</summary>
internal static class TensorDifference
{
    private const int Piece = 1 << 16;

    /// <summary>True at the first value that differs; both are of dtypes that are merged.</summary>
    public static bool Any(TensorSource a, TensorSource b)
    {
        var count = a.Shape.Aggregate(1L, (p, s) => p * s);
        var (x, y) = (new float[Piece], new float[Piece]);
        for (var at = 0L; at < count; at += Piece)
        {
            var length = (int)Math.Min(Piece, count - at);
            StoredValues.Read(a, at, x.AsSpan(0, length));
            StoredValues.Read(b, at, y.AsSpan(0, length));
            if (!x.AsSpan(0, length).SequenceEqual(y.AsSpan(0, length)))
                return true;
        }
        return false;
    }
}

namespace Merge.Adapters;

/// <summary>
/// The factors of the tensors that are being read: a model's tensors come one after the other, so those of a few suffice
/// however many layers there are.
/// </summary>
internal sealed class RecentFactors
{
    private const long MostBytes = 64L << 20;
    private const int Fewest = 3;

    private readonly Lock _gate = new();
    private readonly LinkedList<(object Owner, Lazy<Factors> Factors)> _recent = new();

    /// <param name="owner">Whose factors they are, by reference.</param>
    /// <param name="load">Reads them; called once for all who ask at the same time.</param>
    public Factors Of(object owner, Func<Factors> load)
    {
        Lazy<Factors> factors;
        lock (_gate)
        {
            var node = _recent.First;
            while (node is not null && !ReferenceEquals(node.Value.Owner, owner))
                node = node.Next;
            if (node is not null)
                _recent.Remove(node);
            else
                node = new((owner, new Lazy<Factors>(load)));
            _recent.AddFirst(node);
            factors = node.Value.Factors;
            while (_recent.Count > Fewest && Held > MostBytes)
                _recent.RemoveLast();
        }
        return factors.Value;
    }

    private long Held => _recent.Sum(r => r.Factors.IsValueCreated ? r.Factors.Value.Bytes : 0);
}

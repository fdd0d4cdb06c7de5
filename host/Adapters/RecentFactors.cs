namespace Merge.Adapters;

/// <summary>
/// The factors of the tensors that are being read: a model's tensors come one after the other, so those of a few suffice
/// however many layers there are.
/// </summary>
internal sealed class RecentFactors
{
    private const long MostBytes = 16L << 20;
    private const int Fewest = 3;

    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _recent = new();

    /// <summary>A tensor's factors; they stay until what is returned is disposed.</summary>
    /// <param name="owner">Whose factors they are, by reference.</param>
    /// <param name="load">Reads them; called once for all who ask at the same time.</param>
    public Loan Of(object owner, Func<FactorProduct> load)
    {
        lock (_gate)
        {
            var node = _recent.First;
            while (node is not null && !ReferenceEquals(node.Value.Owner, owner))
                node = node.Next;
            if (node is not null)
                _recent.Remove(node);
            else
                node = new(new(owner, new Lazy<FactorProduct>(load)));
            _recent.AddFirst(node);
            node.Value.Users++;
            while (_recent.Count > Fewest && Held > MostBytes)
            {
                var oldest = _recent.Last!.Value;
                _recent.RemoveLast();
                oldest.IsEvicted = true;
                Free(oldest);
            }
            return new(this, node.Value);
        }
    }

    private long Held => _recent.Sum(r => r.Factors.IsValueCreated ? r.Factors.Value.Bytes : 0);

    private static void Free(Entry entry)
    {
        if (entry is { IsEvicted: true, Users: 0, Factors.IsValueCreated: true })
            entry.Factors.Value.Dispose();
    }

    /// <summary>Factors in use.</summary>
    public readonly struct Loan : IDisposable
    {
        private readonly RecentFactors _lender;
        private readonly Entry _entry;

        internal Loan(RecentFactors lender, Entry entry) => (_lender, _entry) = (lender, entry);

        public FactorProduct Factors => _entry.Factors.Value;

        public void Dispose()
        {
            lock (_lender._gate)
            {
                _entry.Users--;
                Free(_entry);
            }
        }
    }

    internal sealed class Entry(object owner, Lazy<FactorProduct> factors)
    {
        public object Owner { get; } = owner;

        public Lazy<FactorProduct> Factors { get; } = factors;

        public int Users { get; set; }

        public bool IsEvicted { get; set; }
    }
}

namespace Merge.Merging;

/// <summary>
/// Has the collector give back what nobody holds any more before it is much: left alone it lets large arrays lie until
/// they are several times what is in use, whatever a run may take.
/// </summary>
/// <param name="most">Bytes of arrays, in use or not, that call for no collection.</param>
internal sealed class ManagedHeap(long most)
{
    private const long LeastBetween = 16L << 20;

    private readonly Lock _lock = new();
    private long _aboveMost;

    /// <summary>To be called between two pieces of work, and before one that allocates much.</summary>
    /// <param name="wanted">Bytes it will allocate.</param>
    public void Keep(long wanted = 0)
    {
        if (Fits())
            return;
        lock (_lock)
        {
            if (Fits())
                return;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            // Where more is in use than that, a quarter of it may lie beside it: else every call would collect.
            var used = GC.GetTotalMemory(false);
            Volatile.Write(ref _aboveMost, Math.Max(0, used + Math.Max(used / 4, LeastBetween) - most));
        }

        bool Fits() => GC.GetTotalMemory(false) + wanted - Volatile.Read(ref _aboveMost) <= most;
    }
}

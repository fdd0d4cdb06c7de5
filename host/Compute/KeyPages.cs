namespace Merge.Compute;

/// <summary>
/// How often keys occur on the pages of a selection's elements. Where that is too much to hold, neighbouring pages
/// become one, which many keys have in common.
/// </summary>
/// <param name="most">Keys of pages it may hold; where one page has too many, it gives up.</param>
internal sealed class KeyPages(int most)
{
    /// <summary>Elements of a page that was not joined, at most.</summary>
    public const int Length = 1 << 16;

    // A page takes as much memory as so many keys.
    private const int PageCost = 16;

    private readonly Lock _lock = new();
    private SortedDictionary<long, Page> _pages = [];
    private long _joinedLength = 2 * Length;
    private long _held;
    private volatile bool _gaveUp;

    public bool GaveUp => _gaveUp;

    /// <summary>All keys, some several times.</summary>
    public IEnumerable<(uint Key, uint Count)> Keys => _pages.Values.SelectMany(p => p.Keys);

    /// <summary>Adds what was counted from one position to before another.</summary>
    public void Add(long start, long end, (uint, uint)[] keys)
    {
        if (keys.Length == 0)
            return;
        lock (_lock)
        {
            if (_gaveUp)
                return;
            _pages.Add(start, new(end, false, keys));
            _held += keys.Length + PageCost;
            if (_held > most)
                Join();
        }
    }

    /// <summary>Finds the page that the last kept tie is on, and its number there.</summary>
    public void Search(SelectionTarget target)
    {
        foreach (var (start, page) in _pages)
        {
            var ties = 0L;
            foreach (var (key, count) in page.Keys)
                ties += key == target.Key ? count : 0;
            if (ties >= target.TiesLeft)
            {
                target.SearchIn(start, page.End, page.IsJoined);
                return;
            }
            target.TiesLeft -= ties;
        }
    }

    // Until half is free: the next time is not soon.
    private void Join()
    {
        while (_held > most / 2 && !_gaveUp)
        {
            var joined = new SortedDictionary<long, Page>();
            foreach (var group in _pages.GroupBy(p => p.Key / _joinedLength))
            {
                KeyValuePair<long, Page>[] pages = [.. group];
                joined.Add(pages[0].Key, pages.Length == 1 ? pages[0].Value : Page.Join([.. pages.Select(p => p.Value)]));
            }
            _pages = joined;
            _held = joined.Values.Sum(p => (long)p.Keys.Length + PageCost);
            _joinedLength *= 2;
            _gaveUp = _held > most / 2 && joined.Count == 1;
        }
        if (_gaveUp)
            _pages.Clear();
    }

    private sealed record Page(long End, bool IsJoined, (uint Key, uint Count)[] Keys)
    {
        public static Page Join(Page[] pages)
        {
            ulong[] all = [.. pages.SelectMany(p => p.Keys).Select(k => ((ulong)k.Key << 32) | k.Count)];
            Array.Sort(all);
            var keys = new List<(uint Key, uint Count)>();
            foreach (var one in all)
            {
                var (key, count) = ((uint)(one >> 32), (uint)one);
                if (keys.Count > 0 && keys[^1] is var last && last.Key == key && last.Count <= uint.MaxValue - count)
                    keys[^1] = (key, last.Count + count);
                else
                    keys.Add((key, count));
            }
            return new(pages.Max(p => p.End), true, [.. keys]);
        }
    }
}

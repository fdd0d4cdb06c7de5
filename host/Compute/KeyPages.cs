using System.Runtime.InteropServices;

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

    private sealed unsafe record Page(long End, bool IsJoined, (uint Key, uint Count)[] Keys)
    {
        public static Page Join(Page[] pages)
        {
            // Outside the garbage collector: megabytes that it would let lie, again and again.
            var room = (ulong*)NativeMemory.Alloc((nuint)pages.Sum(p => p.Keys.LongLength), sizeof(ulong));
            try
            {
                var count = 0;
                foreach (var (key, times) in pages.SelectMany(p => p.Keys))
                    room[count++] = ((ulong)key << 32) | times;
                var all = new Span<ulong>(room, count);
                all.Sort();
                return new(pages.Max(p => p.End), true, Counted(all));
            }
            finally
            {
                NativeMemory.Free(room);
            }
        }

        /// <summary>Equal neighbours become one, in place.</summary>
        private static (uint, uint)[] Counted(Span<ulong> sorted)
        {
            var different = 0;
            foreach (var one in sorted)
            {
                if (different > 0 && one >> 32 == sorted[different - 1] >> 32 && (uint)sorted[different - 1] <= uint.MaxValue - (uint)one)
                    sorted[different - 1] += (uint)one;
                else
                    sorted[different++] = one;
            }
            var keys = new (uint, uint)[different];
            for (var i = 0; i < different; i++)
                keys[i] = ((uint)(sorted[i] >> 32), (uint)sorted[i]);
            return keys;
        }
    }
}

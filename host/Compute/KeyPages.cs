using System.Runtime.InteropServices;

namespace Merge.Compute;

/// <summary>
/// How often keys occur on the pages of a selection's elements. Where that is too much to hold, neighbouring pages
/// become one, which many keys have in common. All of it is outside the garbage collector, which would let megabytes of
/// pages that were joined lie beside those that count.
/// </summary>
/// <param name="most">Keys of pages it may hold; where one page has too many, it gives up.</param>
internal sealed unsafe class KeyPages(int most)
{
    /// <summary>Elements of a page that was not joined, at most.</summary>
    public const int Length = 1 << 16;

    // A page takes as much memory as so many keys.
    private const int PageCost = 16;
    private const int FewestKeys = 1 << 10;

    // Joining takes as much memory again for a moment: one selection's after another's.
    private static readonly Lock Joining = new();

    private readonly Lock _lock = new();
    private readonly List<Page> _pages = [];
    private long _joinedLength = 2 * Length;
    private ulong* _keys;
    private int _room;
    private int _count;
    private volatile bool _gaveUp;

    ~KeyPages() => NativeMemory.Free(_keys);

    public bool GaveUp => _gaveUp;

    /// <summary>All keys, some several times: each in the upper half, how often it occurs in the lower.</summary>
    public ReadOnlySpan<ulong> Keys => new(_keys, _count);

    private long Held => _count + ((long)PageCost * _pages.Count);

    /// <summary>Adds what was counted from one position to before another, and empties it.</summary>
    /// <param name="start">The first position.</param>
    /// <param name="end">The position after the last.</param>
    /// <param name="counts">The keys but the middle one.</param>
    /// <param name="middle">That key, and how often it occurs, as <see cref="Keys"/> has them; 0 where it does not.</param>
    public void Add(long start, long end, KeyCounts counts, ulong middle)
    {
        var many = counts.Different + (middle == 0 ? 0 : 1);
        lock (_lock)
        {
            if (_gaveUp || many == 0)
            {
                counts.Clear();
                return;
            }
            var to = Reserve(many);
            counts.MoveTo(to);
            if (middle != 0)
                to[many - 1] = middle;
            Add(start, end, many);
        }
    }

    /// <summary>Adds what was counted from one position to before another.</summary>
    public void Add(long start, long end, ReadOnlySpan<ulong> keys)
    {
        lock (_lock)
        {
            if (_gaveUp || keys.IsEmpty)
                return;
            keys.CopyTo(new(Reserve(keys.Length), keys.Length));
            Add(start, end, keys.Length);
        }
    }

    /// <summary>Finds the page that the last kept tie is on, and its number there.</summary>
    public void Search(SelectionTarget target)
    {
        _pages.Sort((a, b) => a.Start.CompareTo(b.Start));
        foreach (var page in _pages)
        {
            var ties = 0L;
            foreach (var key in KeysOf(page))
                ties += key >> 32 == target.Key ? (uint)key : 0;
            if (ties >= target.TiesLeft)
            {
                target.SearchIn(page.Start, page.End, page.IsJoined);
                return;
            }
            target.TiesLeft -= ties;
        }
    }

    /// <summary>Gives the memory back; nothing is asked of it any more.</summary>
    public void Release()
    {
        NativeMemory.Free(_keys);
        _keys = null;
        (_room, _count) = (0, 0);
        _pages.Clear();
    }

    private Span<ulong> KeysOf(Page page) => new(_keys + page.First, page.Count);

    private ulong* Reserve(int keys)
    {
        if (_room - _count < keys)
        {
            _room = Math.Max(Math.Max(Math.Min(2 * _room, most), FewestKeys), _count + keys);
            _keys = (ulong*)NativeMemory.Realloc(_keys, (nuint)_room * sizeof(ulong));
        }
        return _keys + _count;
    }

    private void Add(long start, long end, int keys)
    {
        _pages.Add(new(start, end, false, _count, keys));
        _count += keys;
        if (Held <= most)
            return;
        lock (Joining)
            Join();
        if (_gaveUp)
            Release();
    }

    // Until half is free: the next time is not soon.
    private void Join()
    {
        var room = (ulong*)NativeMemory.Alloc((nuint)_count, sizeof(ulong));
        // Where all on one page are too many, nothing helps.
        var all = new Span<ulong>(room, _count);
        Keys.CopyTo(all);
        if (SortedAndCounted(all) + PageCost > most / 2)
        {
            NativeMemory.Free(room);
            _gaveUp = true;
            return;
        }
        _pages.Sort((a, b) => a.Start.CompareTo(b.Start));
        var at = 0;
        foreach (ref var page in CollectionsMarshal.AsSpan(_pages))
        {
            KeysOf(page).CopyTo(new(room + at, page.Count));
            page = page with { First = at };
            at += page.Count;
        }
        NativeMemory.Free(_keys);
        _keys = room;
        _room = _count;
        while (Held > most / 2)
        {
            JoinNeighbours();
            _joinedLength *= 2;
        }
        _room = Math.Max(_count, 1);
        _keys = (ulong*)NativeMemory.Realloc(_keys, (nuint)_room * sizeof(ulong));
    }

    // The pages lie in their order, without gaps, before and after.
    private void JoinNeighbours()
    {
        var pages = CollectionsMarshal.AsSpan(_pages);
        var (joined, count) = (0, 0);
        for (int first = 0, next = 0; first < pages.Length; first = next)
        {
            var (end, keys) = (0L, 0);
            for (; next < pages.Length && pages[next].Start / _joinedLength == pages[first].Start / _joinedLength; next++)
                (end, keys) = (Math.Max(end, pages[next].End), keys + pages[next].Count);
            var group = new Span<ulong>(_keys + pages[first].First, keys);
            var isJoined = pages[first].IsJoined || next - first > 1;
            if (next - first > 1)
                keys = SortedAndCounted(group);
            group[..keys].CopyTo(new(_keys + count, keys));
            pages[joined++] = new(pages[first].Start, end, isJoined, count, keys);
            count += keys;
        }
        _pages.RemoveRange(joined, _pages.Count - joined);
        _count = count;
    }

    /// <summary>Sorts; equal neighbours become one, in place. Gives how many there are then.</summary>
    private static int SortedAndCounted(Span<ulong> keys)
    {
        keys.Sort();
        var different = 0;
        foreach (var one in keys)
        {
            if (different > 0 && one >> 32 == keys[different - 1] >> 32 && (uint)keys[different - 1] <= uint.MaxValue - (uint)one)
                keys[different - 1] += (uint)one;
            else
                keys[different++] = one;
        }
        return different;
    }

    private readonly record struct Page(long Start, long End, bool IsJoined, int First, int Count);
}

using Merge.Compute;

namespace Host.Tests.Compute;

public class KeyPagesTests
{
    private const int Most = 1 << 18;

    [Fact]
    public void Too_many_different_keys_are_given_up_and_leave_nothing_to_the_collector()
    {
        var keys = new ulong[1 << 12];
        var pages = new KeyPages(Most);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var page = 0; !pages.GaveUp; page++)
        {
            Assert.True(page < 100);
            for (var i = 0; i < keys.Length; i++)
                keys[i] = Counted((uint)((page * keys.Length) + i + 1), 1);
            pages.Add((long)page * KeyPages.Length, (page + 1L) * KeyPages.Length, keys);
        }
        // The keys alone are 2 MiB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Equal(0, pages.Keys.Length);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    public void Pages_of_the_same_keys_are_joined_and_nothing_is_lost(uint different)
    {
        const int Count = 5_000;
        var pages = new KeyPages(Most);
        ulong[] keys = [.. Enumerable.Range(0, (int)different).Select(k => Counted((uint)k + 7, (uint)k + 1))];
        // As threads hand them in: in any order.
        foreach (var page in Enumerable.Range(0, Count).OrderBy(p => p * 7919L % Count))
            pages.Add((long)page * KeyPages.Length, (page + 1L) * KeyPages.Length, keys);
        Assert.False(pages.GaveUp);
        Assert.True(pages.Keys.Length <= Most);
        var sums = new Dictionary<uint, long>();
        foreach (var key in pages.Keys)
            sums[(uint)(key >> 32)] = sums.GetValueOrDefault((uint)(key >> 32)) + (uint)key;
        Assert.Equal(keys.ToDictionary(k => (uint)(k >> 32), k => (uint)k * (long)Count), sums);

        // Of the second key there are two a page: the 3001st is on page 1500.
        var target = new SelectionTarget(0, 3001) { Key = 8 };
        target.TakeTies(0, 2 * Count);
        pages.Search(target);
        Assert.InRange(1500L * KeyPages.Length, target.Place.Start, target.Place.End - 1);
        Assert.Equal(3001 - (2 * target.Place.Start / KeyPages.Length), target.TiesLeft);
        pages.Release();
    }

    private static ulong Counted(uint key, uint count) => ((ulong)key << 32) | count;
}

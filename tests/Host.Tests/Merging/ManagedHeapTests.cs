using System.Runtime.CompilerServices;
using Merge.Merging;

namespace Host.Tests.Merging;

public class ManagedHeapTests
{
    [Fact]
    public void What_nobody_holds_is_taken_back_where_more_lies_there_than_may()
    {
        var left = Leave();
        new ManagedHeap(long.MaxValue / 2).Keep();
        new ManagedHeap(1).Keep();
        Assert.False(left.IsAlive);
    }

    [Fact]
    public void Room_is_made_before_much_is_allocated()
    {
        var left = Leave();
        new ManagedHeap(long.MaxValue / 2).Keep(wanted: long.MaxValue / 2);
        Assert.False(left.IsAlive);
    }

    // Old and large: nothing else would collect it soon.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Leave()
    {
        var array = new byte[1 << 20];
        GC.Collect();
        return new(array);
    }
}

using Merge.Sdk;

namespace Sdk.Tests;

public sealed class StatTests
{
    [Fact]
    public async Task Awaiting_waits_until_the_value_is_there()
    {
        var tensor = Scans.Of([4]);
        var stat = tensor.Sum(b => b.Models[0]);
        var twice = Twice(stat);
        Assert.False(twice.IsCompleted);
        var request = Assert.IsType<SumRequest>(Assert.Single(tensor.Pending));
        request.Stat.Complete(21);
        Assert.Equal(42, await twice);

        static async Task<double> Twice(Stat<double> stat) => 2 * await stat;
    }

    [Fact]
    public async Task A_known_value_does_not_wait()
    {
        var stat = new Stat<int>();
        stat.Complete(7);
        Assert.True(stat.GetAwaiter().IsCompleted);
        Assert.Equal(7, await stat);
    }

    [Fact]
    public void A_value_taken_too_early_is_the_authors_fault()
    {
        var error = Assert.Throws<MergeException>(() => new Stat<int>().GetAwaiter().GetResult());
        Assert.Equal(Actor.PluginAuthor, Assert.Single(error.Diagnostics).Actor);
    }

    [Fact]
    public async Task All_gives_the_values_in_order_whatever_order_they_arrive_in()
    {
        Stat<int>[] parts = [new(), new(), new()];
        var all = Stat.All(parts);
        parts[2].Complete(3);
        parts[0].Complete(1);
        Assert.False(all.GetAwaiter().IsCompleted);
        parts[1].Complete(2);
        Assert.Equal(new[] { 1, 2, 3 }, await all);
    }

    [Fact]
    public async Task All_of_nothing_is_there_at_once() => Assert.Empty(await Stat.All<int>([]));

    [Fact]
    public async Task A_failed_statistic_throws_where_it_is_awaited()
    {
        Stat<int>[] parts = [new(), new()];
        var all = Stat.All(parts);
        parts[0].Fail(new MergeException(new Diagnostic("no memory")));
        parts[1].Complete(1);
        Assert.Equal("no memory", (await Assert.ThrowsAsync<MergeException>(async () => await all)).Message);
    }

    [Fact]
    public async Task A_failure_of_any_kind_reaches_all_of_them()
    {
        Stat<int>[] parts = [new()];
        var all = Stat.All(parts);
        parts[0].Fail(new IOException("disk"));
        await Assert.ThrowsAsync<IOException>(async () => await all);
    }

    [Fact]
    public void Every_model_is_asked_before_the_first_await()
    {
        var tensor = Scans.Of([4], models: 3);
        tensor.EachModel(i => tensor.Largest(b => b.Models[i].Abs(), keep: 2));
        Assert.Equal(3, tensor.Pending.Count);
    }

    [Fact]
    public void An_order_statistic_outside_of_the_tensor_is_refused()
    {
        var tensor = Scans.Of([4]);
        Assert.Throws<MergeException>(() => tensor.OrderStatistics(b => b.Models[0], 4));
        Assert.Throws<MergeException>(() => tensor.OrderStatistics(b => b.Models[0], -1));
    }
}

using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class ModelCopiesTests : IDisposable
{
    private readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_second_waits_until_there_is_room()
    {
        Write("one", 600);
        Write("two", 600);
        var copies = Copies(1000, 8);
        var first = await copies.Of(_lab["one"], CancellationToken.None);
        var waiting = copies.Of(_lab["two"], CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        first.Dispose();
        first.Dispose();
        using var second = await waiting;
        Assert.False(Directory.Exists(first.Path));
        Assert.Equal(600, new FileInfo(Path.Combine(second.Path, "weights.bin")).Length);
    }

    [Fact]
    public async Task There_are_no_more_of_them_than_are_used_at_once()
    {
        Write("one", 1);
        var copies = Copies(1000, 1);
        using var first = await copies.Of(_lab["one"], CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var waiting = copies.Of(_lab["one"], stop.Token);
        Assert.False(waiting.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        first.Dispose();
        using var next = await copies.Of(_lab["one"], CancellationToken.None);
        Assert.True(Directory.Exists(next.Path));
    }

    [Fact]
    public async Task One_that_never_fits_is_refused_and_the_state_of_its_training_does_not_count()
    {
        Write("one", 600);
        File.WriteAllBytes(Path.Combine(_lab["one"], "optimizer.pt"), new byte[5000]);
        using (var copy = await Copies(1000, 1).Of(_lab["one"], CancellationToken.None))
            Assert.Equal(["weights.bin"], Directory.GetFiles(copy.Path).Select(Path.GetFileName));
        Write("one", 1001);
        var refused = await Assert.ThrowsAsync<MergeException>(() => Copies(1000, 1).Of(_lab["one"], CancellationToken.None));
        Assert.Contains("its files take", refused.Diagnostics[0].Found);
    }

    private ModelCopies Copies(long room, int most) =>
        new(_lab.Place(recipe: new(CandidatesIn.Disk) { Quota = room }), most);

    private void Write(string folder, int bytes)
    {
        Directory.CreateDirectory(_lab[folder]);
        File.WriteAllBytes(Path.Combine(_lab[folder], "weights.bin"), new byte[bytes]);
    }
}

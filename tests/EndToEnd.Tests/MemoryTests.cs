using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

public sealed class MemoryTests
{
    [Fact]
    public void Peak_memory_does_not_grow_with_the_size_of_a_tensor()
    {
        using var scratch = new Scratch();
        const long Room = 1_000_000_000;
        var free = new DriveInfo(scratch["."]).AvailableFreeSpace;
        Assert.True(free > Room, $"this test needs {Room} bytes in the temp folder, {free} are free");
        // One tensor of 100 MB, one of 2 GB a model (both sparse); written as bf16, a quarter of that.
        var small = PeakOf(12_500_000);
        var large = PeakOf(250_000_000);
        Assert.True(large - small < 64_000_000, $"{small} bytes for 0.1 GB a model, {large} for 2 GB");

        long PeakOf(long count)
        {
            foreach (var model in new[] { "a", "b" })
                TinyCheckpoint.WriteSparse(scratch[model], "F64", count);
            var recipe = scratch.Recipe("linear", "a=1 b=1", "out_dtype: bfloat16\n");
            var json = scratch.Succeeds("run", recipe, "out", "--json", "--force").Json;
            Assert.Equal(2 * 8 * count, json.GetProperty("bytes_read").GetInt64());
            return json.GetProperty("peak_memory").GetInt64();
        }
    }

    [Fact]
    public void Nor_does_it_for_a_method_that_looks_at_a_tensor_twice()
    {
        using var scratch = new Scratch();
        // Of 4 MB and of 240 MB a model (sparse). A float32 or an index an element would take 480 MB more.
        var small = PeakOf(2_000_000);
        var large = PeakOf(120_000_000);
        Assert.True(large - small < 64_000_000, $"{small} bytes for 4 MB a model, {large} for 240 MB");

        long PeakOf(long count)
        {
            foreach (var model in new[] { "base", "a" })
                TinyCheckpoint.WriteSparse(scratch[model], "BF16", count);
            var recipe = scratch.Recipe("ties", "a=1", "base_model: base\nparameters: {density: 0.5}\n");
            return scratch.Succeeds("run", recipe, "out", "--json", "--force").Json.GetProperty("peak_memory").GetInt64();
        }
    }
}

using Merge.Compute.Cpu;

namespace Host.Tests.Compute;

public sealed unsafe class DrawMemoryTests
{
    private const ulong Key = 77;

    [Theory]
    [InlineData(10_000, 0.5f)]
    [InlineData(4_097, 0.1f)]
    [InlineData(7, 0.9f)]
    [InlineData(5_000, 0f)]
    [InlineData(5_000, 2f)]
    [InlineData(100, float.NaN)]
    public void What_is_recalled_lies_on_the_side_of_the_threshold_that_was_drawn(int count, float threshold)
    {
        using var memory = new DrawMemory(count);
        var drawing = memory.Leaf(Key, 3, threshold);
        memory.Allocate();
        Assert.Equal(0, memory.WishedBytes);
        var drawn = Fill(drawing, count, 4096);
        Assert.Equal(Fill(new UniformLeaf(Key, 3), count, count), drawn);

        foreach (var step in (int[])[count, 4096, 24, 5])
        {
            var recalled = Fill(memory.Leaf(Key, 3, threshold), count, step);
            Assert.All(recalled, r => Assert.True(r is 0 or 1));
            Assert.Equal(drawn.Select(d => d < threshold), recalled.Select(r => r < threshold));
        }
    }

    [Fact]
    public void What_was_not_drawn_everywhere_is_drawn_again()
    {
        using var memory = new DrawMemory(1000);
        var part = memory.Leaf(Key, 0, 0.5f);
        memory.Allocate();
        Fill(part, 992, 496);
        Fill(memory.Leaf(Key, 0, 0.5f), 500, 4);
        var other = Fill(memory.Leaf(Key, 0, 0.5f), 1000, 1000);
        Assert.Equal(Fill(new UniformLeaf(Key, 0), 1000, 1000), other);
    }

    [Fact]
    public void Another_stream_or_threshold_is_another_memory()
    {
        using var memory = new DrawMemory(64);
        var first = memory.Leaf(Key, 0, 0.5f);
        memory.Allocate();
        Fill(first, 64, 64);
        Assert.Equal(Fill(new UniformLeaf(Key, 1), 64, 64), Fill(memory.Leaf(Key, 1, 0.5f), 64, 64));
        Assert.Equal(Fill(new UniformLeaf(Key, 0), 64, 64), Fill(memory.Leaf(Key, 0, 0.25f), 64, 64));
    }

    [Fact]
    public void Without_memory_numbers_are_drawn_each_time()
    {
        using var memory = new DrawMemory(64);
        var numbers = Fill(new UniformLeaf(Key, 0), 64, 64);
        Assert.Equal(numbers, Fill(memory.Leaf(Key, 0, 0.5f), 64, 64));
        Assert.Equal(numbers, Fill(memory.Leaf(Key, 0, 0.5f), 64, 64));
        Assert.True(memory.WishedBytes > 0);
    }

    private static float[] Fill(ILeaf leaf, int count, int step)
    {
        var numbers = new float[count];
        fixed (float* target = numbers)
        {
            for (var start = 0; start < count; start += step)
                leaf.Fill(start, Math.Min(step, count - start), target + start);
        }
        return numbers;
    }
}

using Merge.Compute.Cpu;

namespace Host.Tests.Compute;

public unsafe class PhiloxTests
{
    [Fact]
    public void Words_are_those_of_the_Random123_test_vectors()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Words((0, 0, 0, 0), 0));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox.Words((uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue), ulong.MaxValue));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Words((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), 0x299f31d0a4093822));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 100)]
    [InlineData(30, 4)]
    [InlineData(4093, 5000)]
    [InlineData(17179869180, 77)]
    [InlineData(17179869184, 1000)]
    [InlineData(34359737000, 129)]
    [InlineData(5, 127)]
    [InlineData(8, 256)]
    public void Every_element_has_its_own_number_wherever_the_block_begins(long start, int count)
    {
        var key = Philox.KeyOf(42, "model.layers.0.mlp.up_proj.weight");
        var numbers = new float[count];
        fixed (float* target = numbers)
            Philox.Fill(key, 3, start, count, target);
        for (var i = 0; i < count; i++)
        {
            var element = start + i;
            var (x, y, z, w) = Philox.Words(((uint)(element / 4), (uint)((element / 4) >> 32), 3, 0), key);
            uint[] words = [x, y, z, w];
            Assert.Equal((words[element % 4] >> 8) / 16777216f, numbers[i]);
        }
    }

    [Fact]
    public void Keys_depend_on_seed_and_name()
    {
        Assert.Equal(Philox.KeyOf(1, "a"), Philox.KeyOf(1, "a"));
        ulong[] keys = [Philox.KeyOf(1, "a"), Philox.KeyOf(2, "a"), Philox.KeyOf(1, "b"), Philox.KeyOf(0, "")];
        Assert.Equal(4, keys.Distinct().Count());
    }
}

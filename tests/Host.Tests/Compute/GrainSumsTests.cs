using Merge.Compute;
using Merge.Sdk;

namespace Host.Tests.Compute;

public sealed class GrainSumsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(53)]
    public void The_bits_are_those_of_the_pairwise_tree_in_whatever_order_grains_come(int grains)
    {
        var tree = new PairwiseTree();
        for (var g = 0; g < grains; g++)
            tree.Add(g, Values(g));
        var expected = tree.Total(3);
        foreach (var order in new[] { Enumerable.Range(0, grains), Enumerable.Range(0, grains).Reverse(), Enumerable.Range(0, grains).OrderBy(g => g * 37 % grains) })
        {
            var sums = new GrainSums(3);
            foreach (var grain in order)
            {
                var rented = sums.Rent();
                Assert.Equal([0, 0, 0], rented);
                Values(grain).CopyTo(rented, 0);
                sums.Add(grain, rented);
            }
            Assert.Equal(expected, sums.Total());
        }
    }

    [Fact]
    public void Of_many_grains_in_order_few_are_held()
    {
        var sums = new GrainSums(1);
        var seen = new HashSet<double[]>(ReferenceEqualityComparer.Instance);
        for (var grain = 0; grain < 1000; grain++)
        {
            var rented = sums.Rent();
            seen.Add(rented);
            sums.Add(grain, rented);
        }
        // One for each bit of 1000, and the one in hand.
        Assert.InRange(seen.Count, 1, 11);
    }

    private static double[] Values(int grain)
    {
        var random = new SearchRandom((ulong)grain);
        return [random.Normal(), 1e6 * random.Normal(), 1e-6 * random.Normal()];
    }
}

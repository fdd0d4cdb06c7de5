using Merge.Commands;

namespace Host.Tests.Commands;

public sealed class RateTests
{
    [Theory]
    [InlineData(3_000_000_000, 2, "1.5 GB/s")]
    [InlineData(69_920, 0.02, "3.5 MB/s")]
    [InlineData(500, 0.1, "5 kB/s")]
    [InlineData(0, 0, "0 bytes/s")]
    public void Bytes_a_second_have_a_unit_that_fits(long bytes, double seconds, string text) =>
        Assert.Equal(text, RunReport.Rate(bytes, seconds));
}

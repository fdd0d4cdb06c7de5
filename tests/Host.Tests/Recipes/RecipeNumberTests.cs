using Merge.Recipes;

namespace Host.Tests.Recipes;

public class RecipeNumberTests
{
    [Theory]
    [InlineData("1e-13", 1e-13)]
    [InlineData("1E5", 1e5)]
    [InlineData(".5", 0.5)]
    [InlineData("-.5", -0.5)]
    [InlineData("1.", 1)]
    [InlineData("+3", 3)]
    [InlineData("-0", -0.0)]
    [InlineData("0x1F", 31)]
    [InlineData("0o17", 15)]
    [InlineData("inf", double.PositiveInfinity)]
    [InlineData("-.inf", double.NegativeInfinity)]
    [InlineData("1e400", double.PositiveInfinity)]
    public void A_number_is_read(string text, double expected)
    {
        Assert.True(RecipeNumber.TryReal(text, out var value));
        Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("+")]
    [InlineData(".")]
    [InlineData("e5")]
    [InlineData("1,5")]
    [InlineData("1 000")]
    [InlineData(" 1")]
    [InlineData("nan")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("∞")]
    [InlineData("0x")]
    [InlineData("0xG1")]
    [InlineData("0o8")]
    [InlineData("--1")]
    public void Text_is_no_number(string text) => Assert.False(RecipeNumber.TryReal(text, out _));

    [Theory]
    [InlineData("10", 10)]
    [InlineData("10.0", 10)]
    [InlineData("1e3", 1000)]
    [InlineData("-7", -7)]
    [InlineData("9007199254740993", 9007199254740993)]
    public void A_whole_number_is_read_exactly(string text, long expected)
    {
        Assert.True(RecipeNumber.TryWhole(text, out var value));
        Assert.Equal(expected, (long)value);
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("inf")]
    [InlineData("1e40")]
    [InlineData("x")]
    public void A_fraction_is_no_whole_number(string text) => Assert.False(RecipeNumber.TryWhole(text, out _));
}

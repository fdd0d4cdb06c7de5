using Merge.Sdk;

namespace Sdk.Tests;

public class NearestMatchTests
{
    private static readonly string[] Names = ["weight", "density", "normalize", "lambda", "models", "seed", "t"];

    [Theory]
    [InlineData("weigth", "weight")]
    [InlineData("Weight", "weight")]
    [InlineData("wieght", "weight")]
    [InlineData("normalise", "normalize")]
    [InlineData("model", "models")]
    [InlineData("dnsity", "density")]
    [InlineData("lamda", "lambda")]
    public void A_typing_slip_finds_the_name(string typed, string meant) =>
        Assert.Equal(meant, NearestMatch.Of(typed, Names));

    [Theory]
    [InlineData("epsilon")]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("wsm")]
    public void A_different_word_finds_nothing(string typed) => Assert.Null(NearestMatch.Of(typed, Names));

    [Theory]
    [InlineData("alfa", "alpha")]
    [InlineData("alpah", "alpha")]
    [InlineData("gamma", null)]
    public void A_name_that_is_longer_than_what_was_typed_is_found(string typed, string? meant) =>
        Assert.Equal(meant, NearestMatch.Of(typed, ["alpha", "k"]));

    [Fact]
    public void A_swap_of_neighbours_is_nearer_than_two_replacements() =>
        Assert.Equal("abcd", NearestMatch.Of("abdc", ["abxx", "abcd"]));

    [Fact]
    public void The_first_of_equally_near_names_is_taken() =>
        Assert.Equal("cart", NearestMatch.Of("card", ["cart", "care"]));

    [Fact]
    public void A_question_is_asked_only_when_there_is_a_guess()
    {
        Assert.Equal("Did you mean 'seed'?", NearestMatch.Question("sead", Names));
        Assert.Null(NearestMatch.Question("tokenizer", Names));
    }
}

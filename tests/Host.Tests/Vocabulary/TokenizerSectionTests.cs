using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Vocabulary;

public class TokenizerSectionTests
{
    private const string Head = "merge_method: linear\nmodels: [a, b]\n";

    [Theory]
    [InlineData("tokenizer_source: union", true, null)]
    [InlineData("tokenizer_source: base", false, null)]
    [InlineData("tokenizer_source: org/model", false, "org/model")]
    [InlineData("tokenizer: {source: union}", true, null)]
    [InlineData("tokenizer: {source: base}", false, null)]
    [InlineData("tokenizer: {source: ./m}", false, "./m")]
    [InlineData("tokenizer: {pad_to_multiple_of: 8}", true, null)]
    public void A_source_is_a_word_or_a_model(string text, bool union, string? model)
    {
        var source = Parse(text).Tokenizer!.Source;
        Assert.Equal((union, model, 3), (source.IsUnion, source.Model?.Text, source.Line));
    }

    [Theory]
    [InlineData("tokenizer_source:")]
    [InlineData("tokenizer: ~")]
    [InlineData("chat_template: null")]
    public void An_empty_key_asks_for_nothing(string text)
    {
        Assert.Null(Parse(text).Tokenizer);
        Assert.Null(Parse(text).ChatTemplate);
    }

    [Fact]
    public void Tokens_are_read_in_all_their_forms()
    {
        var tokens = Parse("""
            tokenizer:
              source: union
              pad_to_multiple_of: 64
              tokens:
                <|a|>: {source: org/m, force: true}
                <|b|>: {source: {kind: zero}}
                <|c|>: {source: {kind: model_token, model: a, token: "<|x|>"}}
                <|d|>: {source: {kind: model_token, model: a, token_id: 12}, force: false}
                <|e|>: {}
            """).Tokenizer!;
        Assert.Equal(64, tokens.PadToMultipleOf);
        Assert.Equal(
            [
                "<|a|> org/m   True 7", "<|b|>    False 8", "<|c|> a <|x|>  False 9", "<|d|> a  12 False 10", "<|e|> none False 11",
            ],
            tokens.Tokens.Select(t => t.Token + " "
                + (t.Source is { } s ? $"{s.Model?.Text} {s.Token} {s.TokenId}" : "none") + $" {t.Force} {t.Line}"));
    }

    [Fact]
    public void Everything_wrong_is_reported_at_once_with_its_line()
    {
        var problems = Refused("""
            tokenizer:
              sorce: union
              pad_to_multiple_of: 0
              tokens:
                <a>: union
                <b>: {force: yes}
                <c>: {force: true}
                <d>: {source: {kind: zeros}}
                <e>: {source: {model: a}}
                <f>: {source: {kind: model_token, token: x}}
                <g>: {source: {kind: model_token, model: a}}
                <h>: {source: {kind: model_token, model: a, token: x, token_id: 3}}
                <i>: {source: {kind: zero, model: a}}
            """);
        Assert.Equal(
            [
                "4: there is no key 'sorce' in tokenizer", "5: 'pad_to_multiple_of' is '0'", "7: '<a>' is 'union'", "8: 'force' is 'yes'",
                "9: '<c>' is forced to no row", "10: 'kind' is 'zeros'", "11: a source has no 'kind'",
                "12: a source of kind model_token names no 'model'", "13: a source of kind model_token has neither 'token' nor 'token_id'",
                "14: a source of kind model_token has both 'token' and 'token_id'", "15: there is no key 'model' in kind",
            ],
            problems.Select(p => $"{p.Where!.Split("line ")[1]}: {p.Found}").OrderBy(t => int.Parse(t.Split(':')[0])));
        Assert.Equal("Did you mean 'source'?", problems.First(p => p.Found.Contains("sorce")).Fix);
        Assert.Equal("Did you mean 'zero'?", problems.First(p => p.Found.Contains("zeros")).Fix);
    }

    [Theory]
    [InlineData("tokenizer_source: union\ntokenizer: {source: union}", "'tokenizer_source' and 'tokenizer' are both given")]
    [InlineData("tokenizer: union", "'tokenizer' is 'union'")]
    [InlineData("tokenizer: {tokens: [a]}", "'tokens' is a list")]
    [InlineData("tokenizer_source: [a]", "'tokenizer_source' is a list")]
    [InlineData("chat_template: [a]", "'chat_template' is a list")]
    [InlineData("tokenizer_sorce: union", "there is no key 'tokenizer_sorce'")]
    public void What_cannot_be_is_refused(string text, string found) => Assert.Equal(found, Refused(text)[0].Found);

    [Theory]
    [InlineData("auto")]
    [InlineData("chatml")]
    public void A_chat_template_is_kept_as_written(string text) =>
        Assert.Equal((text, 3), (Parse($"chat_template: {text}").ChatTemplate!.Text, Parse($"chat_template: {text}").ChatTemplate!.Line));

    private static Recipe Parse(string text) => RecipeParser.Parse("r.yaml", Head + text);

    private static IReadOnlyList<Diagnostic> Refused(string text)
    {
        var fault = Assert.Throws<MergeException>(() => Parse(text));
        Assert.True(fault.WrongUsage);
        return fault.Diagnostics;
    }
}

using Merge.Sdk;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

public sealed class TokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("merge-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Tokens_of_the_model_and_added_ones_are_read_with_their_properties()
    {
        Write("tokenizer.json", """
            {"version": "1.0", "truncation": null,
             "added_tokens": [
               {"id": 1, "content": "b", "single_word": true, "lstrip": false, "rstrip": true, "normalized": false, "special": true},
               {"id": 7, "content": "<x>", "special": false, "lstrip": true}],
             "pre_tokenizer": {"vocab": {"not": 1}},
             "model": {"type": "BPE", "merges": ["a b", ["b", "a"]], "vocab": {"a": 0, "b": 1, "\u00e9\n": 2}}}
            """);
        var tokenizer = Tokenizer.Open(_folder)!;
        Assert.Equal(["<x>=7", "a=0", "b=1", "é\n=2"], tokenizer.Ids.Select(t => $"{t.Key}={t.Value}").Order(StringComparer.Ordinal));
        Assert.Equal(
            new AddedToken("b", 1) { SingleWord = true, RStrip = true, Normalized = false, Special = true }, tokenizer.Added["b"]);
        Assert.True(tokenizer.Added["<x>"].LStrip);
        Assert.True(tokenizer.IsFast);
    }

    [Fact]
    public void A_unigram_vocabulary_is_a_list_whose_places_are_the_ids()
    {
        Write("tokenizer.json", """{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["▁the", -3.5], ["x", -1e2]]}}""");
        var tokenizer = Tokenizer.Open(_folder)!;
        Assert.Equal((3, 1, true), (tokenizer.Ids.Count, tokenizer.Ids["▁the"], tokenizer.IsList));
    }

    [Fact]
    public void The_config_and_added_tokens_json_add_what_the_tokenizer_does_not_say()
    {
        Write("tokenizer.json", """{"added_tokens": [{"id": 2, "content": "<e>"}], "model": {"vocab": {"a": 0, "b": 1}}}""");
        Write("tokenizer_config.json", """
            {"added_tokens_decoder": {
              "2": {"content": "<other>", "special": true}, "3": {"content": "<f>", "special": true}, "9": {"content": "b", "special": true}},
             "model_max_length": 1000000000000000019884624838656}
            """);
        Write("added_tokens.json", """{"<f>": 8, "<g>": 4}""");
        var tokenizer = Tokenizer.Open(_folder)!;
        // <other> would sit on <e>'s row: what tokenizer.json says stands.
        Assert.Equal(["<e>", "<f>", "<g>", "a", "b"], tokenizer.Ids.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((3, 4, 1), (tokenizer.Ids["<f>"], tokenizer.Ids["<g>"], tokenizer.Ids["b"]));
        Assert.True(tokenizer.Added["<f>"].Special);
        Assert.Equal(1, tokenizer.Added["b"].Id);
    }

    [Fact]
    public void Older_forms_are_read_without_tokenizer_json()
    {
        Write("vocab.json", """{"a": 0, "b": 1}""");
        Write("added_tokens.json", """{"<x>": 2}""");
        var tokenizer = Tokenizer.Open(_folder)!;
        Assert.Equal((3, 2, false), (tokenizer.Ids.Count, tokenizer.Ids["<x>"], tokenizer.IsFast));
    }

    [Fact]
    public void A_word_piece_vocabulary_is_a_line_a_token()
    {
        Write("vocab.txt", "[PAD]\n[UNK]\n##ing\n");
        Assert.Equal(2, Tokenizer.Open(_folder)!.Ids["##ing"]);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_has_none() => Assert.Null(Tokenizer.Open(_folder));

    [Theory]
    [InlineData("tokenizer.model")]
    [InlineData("spiece.model")]
    [InlineData("qwen.tiktoken")]
    [InlineData("tekken.json")]
    public void A_vocabulary_of_another_library_is_refused_and_what_to_do_is_said(string name)
    {
        Write(name, "x");
        var problem = Assert.Single(Refused());
        Assert.Contains($"'{name}', which is not read", problem.Found);
        Assert.Contains("use_fast=True", problem.Fix);
    }

    [Fact]
    public void Beside_a_tokenizer_json_the_other_librarys_file_does_not_matter()
    {
        Write("tokenizer.model", "x");
        Write("tokenizer.json", """{"model": {"vocab": {"a": 0}}}""");
        Assert.Single(Tokenizer.Open(_folder)!.Ids);
    }

    [Theory]
    [InlineData("", "the file is not JSON, or is cut off")]
    [InlineData("[]", "the file is not a JSON object")]
    [InlineData("""{"model": {"vocab": {"a": 0}}""", "the file is not JSON, or is cut off")]
    [InlineData("""{"model": {"vocab": {"a": 0}}} x""", "the file is not JSON, or is cut off")]
    [InlineData("""{"model": 3}""", "'model' is not an object, at byte 10")]
    [InlineData("""{"model": {"type": "BPE"}}""", "the tokenizer has no model.vocab")]
    [InlineData("{}", "the tokenizer has no model.vocab")]
    [InlineData("""{"model": {"vocab": {"a": -1}}}""", "the id of 'a' is not a whole number from 0, at byte 26")]
    [InlineData("""{"model": {"vocab": {"a": 1.5}}}""", "the id of 'a' is not a whole number from 0, at byte 26")]
    [InlineData("""{"model": {"vocab": {"a": "0"}}}""", "the id of 'a' is not a whole number from 0, at byte 26")]
    [InlineData("""{"model": {"vocab": {"a": 99999999999}}}""", "the id of 'a' is not a whole number from 0, at byte 26")]
    [InlineData("""{"model": {"vocab": {"a": 0, "a": 1}}}""", "the token 'a' stands in the vocabulary twice (0 and 1)")]
    [InlineData("""{"model": {"vocab": [["a"], 3]}}""", "an entry of 'vocab' is not [piece, score], at byte 28")]
    [InlineData("""{"model": {"vocab": [[1, 2]]}}""", "an entry of 'vocab' is not [piece, score], at byte 22")]
    [InlineData("""{"added_tokens": [3], "model": {"vocab": {}}}""", "an entry of 'added_tokens' is not an object, at byte 18")]
    [InlineData("""{"added_tokens": [{"id": 3}], "model": {"vocab": {}}}""", "an added token lacks its content or its id")]
    [InlineData("""{"added_tokens": [{"id": 3, "content": "a"}], "model": {"vocab": {"a": 0}}}""", "the token 'a' is 0 in the vocabulary and 3 among the added tokens")]
    [InlineData("""{"model": {"vocab": {"\ud800": 0}}}""", "the file holds a text that is not Unicode, at byte 21")]
    public void A_malformed_file_is_refused(string json, string found)
    {
        Write("tokenizer.json", json);
        var problem = Refused()[0];
        Assert.StartsWith(found, problem.Found);
        Assert.StartsWith(Path.Combine(_folder, "tokenizer.json"), problem.Where);
    }

    [Fact]
    public void A_malformed_companion_is_refused_by_its_own_name()
    {
        Write("tokenizer.json", """{"model": {"vocab": {"a": 0}}}""");
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "<y>"}}}""");
        var problem = Assert.Single(Refused());
        Assert.StartsWith("'x' in 'added_tokens_decoder' is not an id", problem.Found);
        Assert.EndsWith("tokenizer_config.json", problem.Where);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private IReadOnlyList<Diagnostic> Refused() =>
        Assert.Throws<MergeException>(() => Tokenizer.Open(_folder)).Diagnostics;
}

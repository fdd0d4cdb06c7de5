using System.Text.Json.Nodes;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

public sealed class TokenizerEditTests : IDisposable
{
    private const string Fast = """
        {
          "version": "1.0",
          "added_tokens": [
            {"id": 3, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 4, "content": "<unused>", "special": false}
          ],
          "post_processor": {"type": "TemplateProcessing", "special_tokens": {"<s>": {"ids": [3]}}},
          "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "aba": 5}, "merges": ["a b", ["ab", "a"]]}
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("merge-tokenizer-").FullName;

    public TokenizerEditTests() => Write("tokenizer.json", Fast);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Nothing_to_change_changes_no_byte()
    {
        Edit([], []).Write(_folder);
        Assert.Equal(Fast, Read("tokenizer.json"));
    }

    [Fact]
    public void Added_tokens_come_last_with_their_properties_and_the_rest_stays()
    {
        Edit([], [new("é\u00a0🙂", 6), new("<e>", 7) { Special = true, LStrip = true, Normalized = false }]).Write(_folder);
        var (before, after) = (JsonNode.Parse(Fast)!, JsonNode.Parse(Read("tokenizer.json"))!);
        Assert.True(JsonNode.DeepEquals(before["model"], after["model"]));
        Assert.True(JsonNode.DeepEquals(before["post_processor"], after["post_processor"]));
        var added = after["added_tokens"]!.AsArray();
        Assert.Equal([3, 4, 6, 7], added.Select(t => (int)t!["id"]!));
        Assert.Equal(
            """{"id":7,"content":"\u003Ce\u003E","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true}""",
            added[3]!.ToJsonString());
        var read = Tokenizer.Open(_folder)!;
        Assert.Equal((6, 7), (read.Ids["é\u00a0🙂"], read.Ids["<e>"]));
    }

    [Fact]
    public void Removed_tokens_go_with_the_merges_that_make_or_use_them()
    {
        Edit(["<unused>", "aba"], []).Write(_folder);
        var json = JsonNode.Parse(Read("tokenizer.json"))!;
        Assert.Equal("<s>", (string?)Assert.Single(json["added_tokens"]!.AsArray())!["content"]);
        Assert.Equal("""{"a":0,"b":1,"ab":2}""", json["model"]!["vocab"]!.ToJsonString());
        Assert.Equal("""["a b"]""", json["model"]!["merges"]!.ToJsonString());
    }

    [Fact]
    public void The_companions_follow()
    {
        Write("tokenizer_config.json", """
            {"added_tokens_decoder": {"3": {"content": "<s>"}, "4": {"content": "<unused>"}}, "model_max_length": 1000000000000000019884624838656}
            """);
        Write("added_tokens.json", """{"<unused>": 4}""");
        Edit(["<unused>"], [new("<e>", 5)]).Write(_folder);
        var config = JsonNode.Parse(Read("tokenizer_config.json"))!;
        Assert.Equal(["3", "5"], config["added_tokens_decoder"]!.AsObject().Select(t => t.Key));
        Assert.Contains("1000000000000000019884624838656", Read("tokenizer_config.json"));
        Assert.Equal("""{"<e>":5}""", Read("added_tokens.json").ReplaceLineEndings("").Replace(" ", ""));
    }

    [Fact]
    public void A_tokenizer_without_tokenizer_json_cannot_be_added_to()
    {
        File.Delete(Path.Combine(_folder, "tokenizer.json"));
        Write("vocab.json", """{"a": 0}""");
        var problem = Assert.Single(Assert.Throws<MergeException>(() => Edit([], [new("<e>", 1)])).Diagnostics);
        Assert.Equal("tokens must be added to the tokenizer: '<e>'", problem.Found);
        Assert.Equal("a tokenizer.json", problem.Expected);
    }

    [Fact]
    public void Pieces_of_a_list_cannot_be_removed_but_added_tokens_can()
    {
        Write("tokenizer.json", """
            {"added_tokens": [{"id": 2, "content": "<u>"}], "model": {"type": "Unigram", "vocab": [["a", 0], ["b", -1]]}}
            """);
        Assert.Throws<MergeException>(() => Edit(["b"], []));
        Edit(["<u>"], []).Write(_folder);
        Assert.Equal(2, Tokenizer.Open(_folder)!.Ids.Count);
    }

    private TokenizerEdit Edit(string[] removed, AddedToken[] added) =>
        TokenizerEdit.Of(Tokenizer.Open(_folder)!, removed, added);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private string Read(string name) => File.ReadAllText(Path.Combine(_folder, name));
}

using Merge.Merging;
using Merge.Sdk;

namespace Host.Tests.Vocabulary;

public sealed class VocabularyMergeTests : IDisposable
{
    private const string Half = "parameters: {weight: 0.5}";

    private readonly Written _files = new();

    public VocabularyMergeTests()
    {
        _files.Model("base", [1, 2, 3], ["a", "b", "c"]);
        _files.Model("left", [11, 12, 13, 14, 15], ["a", "b", "c"], "<x>", "<y>");
        _files.Model("right", [21, 22, 23, 24, 25], ["c", "n", "a"], "<y>", "<z>");
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_union_of_three_brings_rows_together_by_their_tokens()
    {
        var merged = _files.Merge("""
            merge_method: linear
            models:
              - {model: base, parameters: {weight: 0.5}}
              - {model: left, parameters: {weight: 0.25}}
              - {model: right, parameters: {weight: 0.25}}
            base_model: base
            tokenizer_source: union
            """);
        // a b c, right's n, then <x> <y> (left) and <z> (right). <y> is not the base's: its mean is (15 + 24) / 2.
        Assert.Equal(
            [
                (2 * 1 + 11 + 23) / 4f, (2 * 2 + 12 + 2) / 4f, (2 * 3 + 13 + 21) / 4f, 22, 14,
                (2 * 19.5f + 15 + 24) / 4f, 25,
            ],
            merged.Column());
        Assert.Equal(7, (int)merged.Config["vocab_size"]!);
        Assert.Equal(
            ["a", "b", "c", "n", "<x>", "<y>", "<z>"],
            merged.Tokenizer().Ids.OrderBy(t => t.Value).Select(t => t.Key));
        Assert.Equal((5, true), (merged.Tokenizer().Added["<y>"].Id, merged.Tokenizer().Added["<y>"].Special));
    }

    [Fact]
    public void The_bases_vocabulary_leaves_the_files_as_they_are()
    {
        var merged = _files.Merge("""
            merge_method: task_arithmetic
            base_model: base
            models:
              - {model: left, parameters: {weight: 1}}
              - {model: right, parameters: {weight: 1}}
            tokenizer: {source: base}
            """);
        // b is not right's: the base's row stands for it, and its difference is 0.
        Assert.Equal([1 + 10 + 22, 2 + 10, 3 + 10 + 18], merged.Column());
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_files["base"], "tokenizer.json")),
            File.ReadAllBytes(Path.Combine(merged.Folder, "tokenizer.json")));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_files["base"], "config.json")),
            File.ReadAllBytes(Path.Combine(merged.Folder, "config.json")));
    }

    [Fact]
    public void Another_models_vocabulary_brings_its_files()
    {
        File.WriteAllText(Path.Combine(_files["base"], "special_tokens_map.json"), "{}");
        File.WriteAllText(Path.Combine(_files["right"], "tokenizer_config.json"), """{"x": 1}""");
        var merged = _files.Merge("""
            merge_method: linear
            base_model: base
            models: [{model: base, parameters: {weight: 0}}, {model: right, parameters: {weight: 1}}]
            tokenizer_source: right
            """);
        Assert.Equal([21, 22, 23, 24, 25], merged.Column());
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_files["right"], "tokenizer.json")),
            File.ReadAllBytes(Path.Combine(merged.Folder, "tokenizer.json")));
        Assert.Equal("""{"x": 1}""", merged.Text("tokenizer_config.json"));
        Assert.False(File.Exists(Path.Combine(merged.Folder, "special_tokens_map.json")));
        Assert.Equal(5, (int)merged.Config["vocab_size"]!);
    }

    [Fact]
    public void A_tokenizer_of_a_model_that_is_not_merged_may_be_the_source()
    {
        Directory.CreateDirectory(_files["other"]);
        _files.Tokenizer("other", ["b", "a"]);
        var merged = _files.Merge("""
            merge_method: linear
            models: [{model: base, parameters: {weight: 1}}]
            tokenizer_source: other
            """);
        Assert.Equal([2, 1], merged.Column());
    }

    [Fact]
    public void Rules_for_single_tokens_and_padding_are_followed()
    {
        var merged = _files.Merge("""
            merge_method: linear
            base_model: base
            models: [{model: base, parameters: {weight: 1}}, {model: left, parameters: {weight: 1}}]
            tokenizer:
              source: base
              pad_to_multiple_of: 4
              tokens:
                a: {source: left, force: true}
                <x>: {source: {kind: model_token, model: left, token_id: 4}, force: true}
                <new>: {source: {kind: model_token, model: base, token: b}}
                <zero>: {source: {kind: zero}}
            """);
        // left has <x> and its own row 14; forced, both take its row 4. <new> is 2 and <zero> is 0 for both.
        float[] first = [11, 2, 3, 15, 2, 0];
        float[] second = [11, 12, 13, 15, 2, 0];
        var padding = (first.Average() + second.Average()) / 2;
        Assert.Equal([11, 7, 8, 15, 2, 0, padding, padding], merged.Column());
        Assert.Equal(8, (int)merged.Config["vocab_size"]!);
        Assert.Equal(6, merged.Tokenizer().Ids.Count);
        Assert.True(merged.Tokenizer().Added["<x>"].Special);
    }

    [Fact]
    public void Head_and_embedding_follow_the_vocabulary_alike_and_tied_models_lend_their_embedding()
    {
        _files.Weights(
            "untied", """{"vocab_size": 3, "tie_word_embeddings": false}""",
            ("model.embed_tokens.weight", DType.F32, Written.Rows(31, 32, 33)),
            ("lm_head.weight", DType.F32, Written.Rows(41, 42, 43)));
        _files.Tokenizer("untied", ["b", "a"], "<x>");
        var merged = _files.Merge($$"""
            merge_method: linear
            models: [{model: untied, {{Half}}}, {model: left, {{Half}}}]
            tokenizer_source: base
            """);
        Assert.Equal([(31 + 12) / 2f, (32 + 11) / 2f, (33 + 14) / 2f], merged.Column());
        Assert.Equal([(41 + 12) / 2f, (42 + 11) / 2f, (43 + 14) / 2f], merged.Column("lm_head.weight"));
    }

    [Fact]
    public void Other_tensors_of_two_axes_stay_as_they_are()
    {
        foreach (var name in new[] { "base", "left" })
        {
            _files.Weights(
                name, null,
                ("wte.weight", DType.F32, Written.Rows(1, 2, 3)),
                ("wpe.weight", DType.F32, Written.Rows(5, 6, 7)),
                ("h.0.w", DType.F32, Written.Rows(8, 9, 1)));
        }
        _files.Tokenizer("left", ["c", "b", "a"]);
        var merged = _files.Merge($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: left, {{Half}}}]
            tokenizer_source: base
            """);
        Assert.Equal([2, 2, 2], merged.Column("wte.weight"));
        Assert.Equal([5, 6, 7], merged.Column("wpe.weight"));
        Assert.Equal([8, 9, 1], merged.Column("h.0.w"));
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 4096)]
    [InlineData(3, 1 << 20)]
    public void Threads_and_blocks_change_no_byte(int threads, int blockBytes)
    {
        Big("few", 700, 0);
        Big("many", 1100, 300);
        const string recipe = """
            merge_method: linear
            models: [{model: few, parameters: {weight: 0.3}}, {model: many, parameters: {weight: 0.7}}, {model: third, parameters: {weight: 1}}]
            tokenizer: {source: union, pad_to_multiple_of: 64}
            """;
        Big("third", 900, 500);
        var reference = _files.Merge(recipe, settings: new() { Threads = 1 });
        var merged = _files.Merge(recipe, settings: new() { Threads = threads, BlockBytes = blockBytes });
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(reference.Folder, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(merged.Folder, "model.safetensors")));
        Assert.Equal(reference.Text(Manifest.FileName), merged.Text(Manifest.FileName));
    }

    [Fact]
    public void Merging_reads_no_tokenizer_where_the_recipe_does_not_ask_for_one()
    {
        File.WriteAllText(Path.Combine(_files["base"], "tokenizer.json"), "broken");
        var merged = _files.Merge("""
            merge_method: linear
            models: [{model: base, parameters: {weight: 1}}]
            """);
        Assert.Equal([1, 2, 3], merged.Column());
        Assert.Equal("broken", merged.Text("tokenizer.json"));
    }

    [Fact]
    public void Without_a_tokenizer_key_embeddings_of_different_sizes_are_refused_and_the_way_out_is_named() => Assert.Contains(
        "tokenizer: {source: union}",
        Assert.Single(_files.Refused($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: left, {{Half}}}]
            """)).Fix);

    [Fact]
    public void A_model_without_a_tokenizer_is_taken_to_have_the_bases_if_its_rows_agree()
    {
        File.Delete(Path.Combine(_files["left"], "tokenizer.json"));
        File.Delete(Path.Combine(_files["right"], "tokenizer.json"));
        var refused = _files.Refused($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: left, {{Half}}}]
            tokenizer_source: union
            """);
        Assert.Contains("'left' has no tokenizer, and its embedding has another number of rows", Assert.Single(refused).Found);
        _files.Tokenizer("right", ["c", "n", "a", "d", "e"]);
        var merged = _files.Merge($$"""
            merge_method: linear
            models: [{model: right, {{Half}}}, {model: left, {{Half}}}]
            tokenizer_source: union
            """);
        Assert.Equal([16, 17, 18, 19, 20], merged.Column());
        Assert.Contains(merged.Warnings, w => w.Found.StartsWith("'left' has no tokenizer: it is taken", StringComparison.Ordinal));
    }

    [Fact]
    public void Everything_wrong_with_the_models_tokenizers_is_reported_at_once()
    {
        File.WriteAllText(Path.Combine(_files["left"], "tokenizer.json"), "{");
        File.WriteAllText(Path.Combine(_files["right"], "tokenizer.json"), """{"model": {"vocab": {"a": -1}}}""");
        Assert.Equal(2, _files.Refused($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: left, {{Half}}}, {model: right, {{Half}}}]
            tokenizer_source: union
            """).Count);
    }

    [Fact]
    public void A_token_of_a_model_that_is_not_merged_is_refused_with_the_nearest_name()
    {
        var problem = Assert.Single(_files.Refused($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: left, {{Half}}}]
            tokenizer:
              source: union
              tokens:
                <x>: {source: lefd}
            """));
        Assert.Equal("'lefd' is no model of this merge", problem.Found);
        Assert.Equal("Did you mean 'left'?", problem.Fix);
        Assert.EndsWith("line 6", problem.Where);
    }

    [Fact]
    public void Ids_of_the_config_that_mean_other_tokens_are_said()
    {
        File.WriteAllText(
            Path.Combine(_files["base"], "config.json"), """{"vocab_size": 3, "eos_token_id": [2], "bos_token_id": 0, "tie_word_embeddings": true}""");
        var merged = _files.Merge($$"""
            merge_method: linear
            models: [{model: base, {{Half}}}, {model: right, {{Half}}}]
            tokenizer_source: right
            """);
        Assert.Contains(merged.Warnings, w => w.Found.EndsWith("eos_token_id 2, bos_token_id 0", StringComparison.Ordinal));
    }

    [Fact]
    public void Cropped_embeddings_are_merged_row_by_row_and_said()
    {
        var merged = _files.Merge(
            $$"""
            merge_method: linear
            models: [{model: left, {{Half}}}, {model: base, {{Half}}}]
            """,
            Merge.Planning.OnMismatch.CropEmbeddings);
        Assert.Equal([6, 7, 8], merged.Column());
        Assert.Equal(3, (int)merged.Config["vocab_size"]!);
        Assert.Contains("only its first 3 rows", Assert.Single(merged.Warnings).Found);
    }

    [Fact]
    public void A_head_of_its_own_is_permuted_as_the_embedding()
    {
        foreach (var (name, tokens) in new[] { ("base", new[] { "a", "b" }), ("left", ["b", "a"]) })
        {
            _files.Weights(
                name, null,
                ("transformer.wte.weight", DType.F32, Written.Rows(1, 2)),
                ("lm_head.weight", DType.F32, Written.Rows(3, 4)));
            _files.Tokenizer(name, tokens);
        }
        var merged = _files.Merge("""
            merge_method: linear
            models: [{model: base, parameters: {weight: 0}}, {model: left, parameters: {weight: 1}}]
            tokenizer_source: base
            """);
        Assert.Equal([2, 1], merged.Column("transformer.wte.weight"));
        Assert.Equal([4, 3], merged.Column("lm_head.weight"));
    }

    private void Big(string name, int tokens, int shift)
    {
        string[] words = [.. Enumerable.Range(0, tokens).Select(i => $"t{(i * 13 % tokens) + shift}")];
        _files.Model(name, [.. Enumerable.Range(0, tokens).Select(i => (float)Math.Sin(i + shift))], words);
    }
}

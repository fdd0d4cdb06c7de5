using System.Security.Cryptography;
using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>The main job: a folder that other tools take for a model.</summary>
public sealed class RunTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_merge_of_two_folders_is_a_complete_model_folder()
    {
        TwoModels();
        var recipe = _scratch.Recipe("linear", "a=1 b=3");
        var outcome = _scratch.Succeeds("run", recipe, "out");
        Assert.Equal("", outcome.Error);
        Assert.Equal(
            [
                "README.md", "config.json", "merge_manifest.json", "merge_recipe.yaml", "model.safetensors",
                "tokenizer.json",
            ],
            FolderContent.Names(_scratch["out"]));
        Assert.False(Directory.Exists(_scratch["out.partial"]));
        foreach (var copied in new[] { "config.json", "tokenizer.json" })
            Assert.Equal(File.ReadAllBytes(_scratch[$"a/{copied}"]), File.ReadAllBytes(_scratch[$"out/{copied}"]));
        Assert.Equal(File.ReadAllBytes(recipe), File.ReadAllBytes(_scratch["out/merge_recipe.yaml"]));
        var card = File.ReadAllText(_scratch["out/README.md"]);
        Assert.Contains("`linear`", card);
        Assert.Contains("- `a`\n- `b`\n", card);
        Assert.Contains("{\"format\":\"pt\"}", File.ReadAllText(_scratch["out/model.safetensors"]));
    }

    [Theory]
    [InlineData("'{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}'",
        "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")]
    [InlineData("auto", "{{ 'of both models' }}")]
    public void The_chat_template_written_is_the_one_the_recipe_asks_for(string asked, string written)
    {
        TwoModels();
        foreach (var model in new[] { "a", "b" })
        {
            File.WriteAllText(
                _scratch[$"{model}/tokenizer_config.json"],
                """{"chat_template": "{{ 'of both models' }}", "legacy": true}""");
        }
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=3", $"chat_template: {asked}\n"), "out");
        var config = JsonElement.Parse(File.ReadAllText(_scratch["out/tokenizer_config.json"]));
        Assert.Equal(written, config.GetProperty("chat_template").GetString());
        Assert.True(config.GetProperty("legacy").GetBoolean());
    }

    [Fact]
    public void The_manifest_has_the_checksums_of_what_went_in_and_of_what_came_out()
    {
        TwoModels();
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=3"), "out", "--sha256");
        var manifest = JsonElement.Parse(File.ReadAllText(_scratch["out/merge_manifest.json"]));
        var inputs = manifest.GetProperty("inputs").EnumerateArray().ToArray();
        Assert.Equal(["a", "b"], inputs.Select(i => i.GetProperty("model").GetString()));
        foreach (var (model, input) in new[] { "a", "b" }.Zip(inputs))
        {
            var bytes = File.ReadAllBytes(_scratch[$"{model}/model.safetensors"]);
            Assert.Equal(Crc32C.Of(bytes).ToString("x8"), input.GetProperty("crc32c").GetString());
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), input.GetProperty("sha256").GetString());
            Assert.Equal(bytes.Length, input.GetProperty("bytes").GetInt64());
        }
        var output = Assert.Single(manifest.GetProperty("outputs").EnumerateArray());
        var written = File.ReadAllBytes(_scratch["out/model.safetensors"]);
        Assert.Equal(Crc32C.Of(written).ToString("x8"), output.GetProperty("crc32c").GetString());
    }

    [Fact]
    public void Json_tells_what_was_done()
    {
        TwoModels();
        var json = _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=3"), "out", "--json").Json;
        Assert.True(json.GetProperty("ok").GetBoolean());
        Assert.Equal(_scratch["out"], json.GetProperty("output").GetString());
        Assert.Equal(2, json.GetProperty("models").GetInt32());
        Assert.Equal(2, json.GetProperty("tensors").GetInt32());
        Assert.Equal(0, json.GetProperty("tensors_resumed").GetInt32());
        Assert.Equal(2 * (6 + 500) * 4, json.GetProperty("bytes_read").GetInt64());
        Assert.Equal((6 + 500) * 4, json.GetProperty("bytes_written").GetInt64());
    }

    [Fact]
    public void A_shard_is_no_larger_than_asked_and_the_index_names_every_tensor()
    {
        var tensors = Layers(7, "F32", 100);
        TinyCheckpoint.Write(_scratch["a"], tensors);
        TinyCheckpoint.Write(_scratch["b"], tensors);
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "out", "--max-shard", "900");
        var index = JsonElement.Parse(File.ReadAllText(_scratch["out/model.safetensors.index.json"]));
        Assert.Equal(7 * 400, index.GetProperty("metadata").GetProperty("total_size").GetInt64());
        var map = index.GetProperty("weight_map").EnumerateObject()
            .ToDictionary(e => e.Name, e => e.Value.GetString()!);
        Assert.Equal(tensors.Select(t => t.Name), map.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            Enumerable.Range(1, 4).Select(i => $"model-{i:D5}-of-00004.safetensors"), map.Values.Distinct().Order());
        foreach (var shard in map.GroupBy(e => e.Value, e => e.Key))
        {
            var stored = TinyCheckpoint.ReadFile(_scratch[$"out/{shard.Key}"]);
            Assert.Equal(shard.Order(StringComparer.Ordinal), stored.Select(t => t.Name).Order(StringComparer.Ordinal));
            Assert.True(stored.Sum(t => t.Bytes.Length) <= 900);
            Assert.All(stored, t => Assert.Equal(tensors.Single(w => w.Name == t.Name).Bytes, t.Bytes));
        }
    }

    [Fact]
    public void The_same_merge_twice_gives_the_same_bytes()
    {
        TwoModels();
        var recipe = _scratch.Recipe("linear", "a=0.3 b=0.9");
        foreach (var time in new[] { "1", "2" })
        {
            Directory.CreateDirectory(_scratch[time]);
            _scratch.Succeeds("run", recipe, _scratch[$"{time}/out"]);
        }
        FolderContent.AssertSame(_scratch["1/out"], _scratch["2/out"]);
    }

    [Fact]
    public void Force_replaces_an_earlier_merge()
    {
        TwoModels();
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=0"), "out");
        _scratch.Write("out/left.txt", "of the first merge");
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=0 b=1"), "out", "--force");
        Assert.Equal(TinyCheckpoint.Read(_scratch["b"])["w"].Bytes, TinyCheckpoint.Read(_scratch["out"])["w"].Bytes);
        Assert.False(File.Exists(_scratch["out/left.txt"]));
        Assert.Equal(["a", "b", "out", "recipe.yaml"], Entries());
    }

    [Fact]
    public void A_sharded_model_is_one_model()
    {
        var tensors = Layers(4, "BF16", 9);
        TinyCheckpoint.WriteSharded(_scratch["a"], [tensors[2], tensors[0]], [tensors[3], tensors[1]]);
        TinyCheckpoint.Write(_scratch["b"], tensors);
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "out");
        var merged = TinyCheckpoint.Read(_scratch["out"]);
        Assert.All(tensors, t => Assert.Equal(t.Bytes, merged[t.Name].Bytes));
        Assert.Equal(4, merged.Count);
    }

    [Fact]
    public void A_trajectory_is_merged_in_the_order_of_its_steps()
    {
        foreach (var (step, value) in new[] { (9, 0), (100, 8), (20, 4), (1000, 16) })
            TinyCheckpoint.Write(_scratch[$"run/checkpoint-{step}"], TinyTensor.Of("F32", "w", [1], value));
        var recipe = _scratch.Write("recipe.yaml", """
            merge_method: ema
            models:
              trajectory: run/checkpoint-*
              last: 3
            parameters: {beta: 0.5}
            """);
        _scratch.Succeeds("run", recipe, "out");
        // 4, 8, 16: the oldest keeps 1/4, then 1/4, then 1/2.
        Assert.Equal([11.0], TinyCheckpoint.Read(_scratch["out"])["w"].Values);
        _scratch.Write("plain.yaml", "merge_method: uniform\nmodels: run/checkpoint-*\n");
        _scratch.Succeeds("run", "plain.yaml", "mean");
        Assert.Equal([7.0], TinyCheckpoint.Read(_scratch["mean"])["w"].Values);
    }

    [Fact]
    public void Models_are_found_beside_the_recipe_in_given_folders_and_in_the_hugging_face_cache()
    {
        TinyCheckpoint.Write(_scratch["recipes/a"], TinyTensor.Of("F32", "w", [1], 1));
        TinyCheckpoint.Write(_scratch["elsewhere/b"], TinyTensor.Of("F32", "w", [1], 2));
        var hub = ".cache/huggingface/hub/models--org--c";
        TinyCheckpoint.Write(_scratch[$"{hub}/snapshots/abc123"], TinyTensor.Of("F32", "w", [1], 6));
        Directory.CreateDirectory(_scratch[$"{hub}/blobs"]);
        var file = _scratch[$"{hub}/snapshots/abc123/model.safetensors"];
        File.Move(file, _scratch[$"{hub}/blobs/f00d"]);
        File.CreateSymbolicLink(file, "../../blobs/f00d");
        _scratch.Write($"{hub}/refs/main", "abc123");
        _scratch.Write("recipes/r.yaml", "merge_method: uniform\nmodels: [a, b, org/c]\n");
        _scratch.Succeeds("run", "recipes/r.yaml", "out", "--model-dir", "elsewhere");
        Assert.Equal([3.0], TinyCheckpoint.Read(_scratch["out"])["w"].Values);
    }

    [Fact]
    public void A_recipe_may_come_through_a_pipe()
    {
        TwoModels();
        File.Move(_scratch.Recipe("linear", "a=1 b=0"), _scratch["r"]);
        using var process = MergeProcess.Start(
            "/bin/sh", _scratch["."], [], "-c", $"cat r | '{MergeProcess.Program}' run /dev/stdin out");
        var outcome = process.Wait();
        // The recipe's folder is /dev then: the models are found in the working directory.
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Equal(TinyCheckpoint.Read(_scratch["a"])["w"].Bytes, TinyCheckpoint.Read(_scratch["out"])["w"].Bytes);
    }

    private void TwoModels()
    {
        TinyTensor[] Model(int seed) =>
            [TinyTensor.Pattern("F32", "w", [2, 3], seed), TinyTensor.Pattern("F32", "v", [500], seed + 10)];
        TinyCheckpoint.Write(_scratch["a"], Model(1));
        TinyCheckpoint.Write(_scratch["b"], Model(2));
    }

    private static TinyTensor[] Layers(int count, string dtype, long elements) =>
        [.. Enumerable.Range(0, count).Select(i => TinyTensor.Pattern(dtype, $"layers.{i}.w", [elements], i))];

    private string[] Entries() => [.. Directory.GetFileSystemEntries(_scratch["."])
        .Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
}

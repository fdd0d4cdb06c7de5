using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Adapters as their user meets them: baked in, merged with each other, extracted, inspected, refused.</summary>
public sealed class AdapterTests : IDisposable
{
    private const int Outputs = 48;
    private const int Inputs = 32;

    private readonly Scratch _scratch = new();

    public AdapterTests()
    {
        TinyCheckpoint.Write(
            _scratch["base"],
            TinyTensor.Pattern("F32", "layers.0.q_proj.weight", [Outputs, Inputs], 1),
            TinyTensor.Pattern("F32", "layers.0.up_proj.weight", [Inputs, Outputs], 2),
            TinyTensor.Pattern("F32", "norm.weight", [Inputs], 3));
        Adapter("a", 4, 8, 4);
        Adapter("b", 6, 3, 5);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_baked_model_is_extracted_again_exactly()
    {
        _scratch.Succeeds("bake", "base", "baked", "--adapter", "a", "--adapter", "b=0.5");
        var extracted = _scratch.Succeeds("extract", "baked", "base", "out", "--rank", "10", "--json").Json;
        var modules = extracted.GetProperty("modules").EnumerateArray().ToArray();
        Assert.Equal(["layers.0.q_proj"], modules.Where(m => m.GetProperty("rank").GetInt32() > 0).Select(m => m.GetProperty("name").GetString()));
        Assert.Equal(10, modules.Max(m => m.GetProperty("rank").GetInt32()));
        Assert.All(modules, m => Assert.InRange(m.GetProperty("relative_error").GetDouble(), 0, 2e-3));
        _scratch.Succeeds("bake", "base+out", "again");
        var (baked, again) = (TinyCheckpoint.Read(_scratch["baked"]), TinyCheckpoint.Read(_scratch["again"]));
        foreach (var name in baked.Keys)
        {
            var (x, y) = (Floats(baked[name]), Floats(again[name]));
            var error = Math.Sqrt(x.Zip(y, (p, q) => ((double)p - q) * (p - q)).Sum() / x.Sum(p => (double)p * p));
            Assert.InRange(error, 0, 1e-3);
        }
    }

    [Fact]
    public void The_folder_of_a_merged_adapter_is_what_peft_reads()
    {
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "out");
        Assert.Equal(
            ["README.md", "adapter_config.json", "adapter_model.safetensors", "merge_manifest.json", "merge_recipe.yaml"],
            FolderContent.Names(_scratch["out"]));
        var tensors = TinyCheckpoint.ReadFile(_scratch["out/adapter_model.safetensors"]).ToDictionary(t => t.Name);
        Assert.Equal(
            [
                "base_model.model.layers.0.q_proj.lora_A.weight", "base_model.model.layers.0.q_proj.lora_B.weight",
            ],
            tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([10, Inputs], tensors["base_model.model.layers.0.q_proj.lora_A.weight"].Shape);
        var config = JsonElement.Parse(File.ReadAllText(_scratch["out/adapter_config.json"]));
        Assert.Equal((10, 10.0), (config.GetProperty("r").GetInt32(), config.GetProperty("lora_alpha").GetDouble()));
        Assert.Equal("LORA", config.GetProperty("peft_type").GetString());
        Assert.Equal("org/base", config.GetProperty("base_model_name_or_path").GetString());
        Assert.Empty(config.GetProperty("rank_pattern").EnumerateObject());
    }

    [Fact]
    public void Merging_adapters_gives_the_same_bytes_whatever_the_threads()
    {
        var recipe = _scratch.Recipe("ties", "a=1 b=1", "parameters: {density: 0.5}\nadapter: {rank: 8}\n");
        Directory.CreateDirectory(_scratch["one"]);
        Directory.CreateDirectory(_scratch["four"]);
        _scratch.Succeeds("run", recipe, "one/out", "--threads", "1");
        _scratch.Succeeds("run", recipe, "four/out", "--threads", "4");
        FolderContent.AssertSame(_scratch["one/out"], _scratch["four/out"]);
    }

    [Fact]
    public void Inspect_shows_modules_ranks_and_scales()
    {
        var listing = _scratch.Succeeds("inspect", "b").Out;
        Assert.Contains("layers.0.q_proj", listing);
        Assert.Contains("org/base", listing);
        var module = _scratch.Succeeds("inspect", "b", "--json").Json.GetProperty("modules")[0];
        Assert.Equal((6, 0.5), (module.GetProperty("rank").GetInt32(), module.GetProperty("scale").GetDouble()));
        Assert.Equal(6, module.GetProperty("singular_values").GetArrayLength());
    }

    [Fact]
    public void What_an_extraction_leaves_out_is_said()
    {
        TinyCheckpoint.Write(
            _scratch["tuned"],
            TinyTensor.Pattern("F32", "layers.0.q_proj.weight", [Outputs, Inputs], 9),
            TinyTensor.Pattern("F32", "layers.0.up_proj.weight", [Inputs, Outputs], 2),
            TinyTensor.Pattern("F32", "norm.weight", [Inputs], 8));
        var outcome = _scratch.Succeeds("extract", "tuned", "base", "out", "--rank", "4");
        Assert.Contains("norm.weight", outcome.Error);
        Assert.Contains("energy thrown away", outcome.Out);
        _scratch.Succeeds("extract", "tuned", "base", "whole", "--rank", "4", "--save", "norm");
        Assert.Contains(
            TinyCheckpoint.ReadFile(_scratch["whole/adapter_model.safetensors"]), t => t.Name == "base_model.model.norm.weight");
    }

    [Fact]
    public void A_search_over_adapters_in_their_model_makes_the_model_it_scored()
    {
        _scratch.Write("eval.sh", "sum=$(cksum < \"$1/model.safetensors\" | cut -d' ' -f1)\necho \"{\\\"score\\\": 0.$sum}\"\n");
        _scratch.Write("r.yaml", """
            merge_method: linear
            models: [{model: base+a}, {model: base, adapters: [{adapter: b, weight: 0.5}]}]
            search: {searcher: random, trials: 4, seed: 3}
            evaluate: {command: [sh, eval.sh, "{candidate}"]}
            objective: {maximize: score}
            """);
        _scratch.Succeeds("search", "r.yaml", "out");
        Assert.Contains("adapters", File.ReadAllText(_scratch["out/best.yaml"]));
        _scratch.Succeeds("run", "out/best.yaml", "again/best");
        FolderContent.AssertSame(_scratch["out/best"], _scratch["again/best"]);
        var best = TinyCheckpoint.Read(_scratch["out/best"])["layers.0.q_proj.weight"];
        Assert.NotEqual(TinyCheckpoint.Read(_scratch["base"])["layers.0.q_proj.weight"].Bytes, best.Bytes);
    }

    [Fact]
    public void Adapters_alone_are_searched_and_scored_as_adapters()
    {
        _scratch.Write("eval.sh", """
            test -f "$1/adapter_config.json" || exit 1
            sum=$(cksum < "$1/adapter_model.safetensors" | cut -d' ' -f1)
            echo "{\"score\": 0.$sum}"
            """);
        _scratch.Write("r.yaml", """
            merge_method: linear
            models: [a, b]
            adapter: {rank: 5}
            search: {searcher: random, trials: 3, seed: 3}
            evaluate: {command: [sh, eval.sh, "{candidate}"]}
            objective: {maximize: score}
            """);
        var outcome = _scratch.Succeeds("search", "r.yaml", "out", "--json");
        Assert.Equal(3, outcome.Json.GetProperty("trials").GetInt32());
        _scratch.Succeeds("run", "out/best.yaml", "again/best");
        FolderContent.AssertSame(_scratch["out/best"], _scratch["again/best"]);
        Assert.Equal([5, Inputs], TinyCheckpoint.ReadFile(_scratch["out/best/adapter_model.safetensors"]).First(t => t.Name.Contains("lora_A")).Shape);
    }

    [Fact]
    public void A_soup_of_adapters_keeps_what_makes_it_better()
    {
        // The score is minus the rank: of two adapters the smaller one alone is best.
        _scratch.Write("eval.sh", """
            r=$(sed -n 's/.*"r": *\([0-9]*\).*/\1/p' "$1/adapter_config.json")
            echo "{\"score\": -$r}"
            """);
        _scratch.Write("r.yaml", """
            merge_method: uniform
            models: [b, a]
            evaluate: {command: [sh, eval.sh, "{candidate}"]}
            objective: {maximize: score}
            """);
        var outcome = _scratch.Succeeds("soup", "r.yaml", "out");
        Assert.Matches(@"1 +a +-4 +-4 +yes", outcome.Out);
        Assert.Matches(@"2 +b +-6 +-10 +no", outcome.Out);
    }

    [Fact]
    public void An_adapter_that_an_earlier_merge_made_goes_into_a_model()
    {
        _scratch.Write("r.yaml", """
            name: first
            merge_method: linear
            models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]
            ---
            merge_method: passthrough
            models: [base+first]
            """);
        _scratch.Succeeds("validate", "r.yaml");
        _scratch.Succeeds("run", "r.yaml", "out");
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "first");
        _scratch.Succeeds("bake", "base+first", "alone");
        Assert.Equal(
            TinyCheckpoint.Read(_scratch["alone"])["layers.0.q_proj.weight"].Bytes,
            TinyCheckpoint.Read(_scratch["out"])["layers.0.q_proj.weight"].Bytes);
    }

    [Fact]
    public void Validating_knows_what_no_adapter_can_be_made_of()
    {
        var factors = _scratch.Merge("validate", _scratch.Recipe("linear", "a=1 b=1", "adapter: {combine: factors}\n"));
        Assert.Equal(2, factors.ExitCode);
        Assert.Contains("rank 4, scale 2", factors.Error);
        // What is cut off element by element leaves no few factors, whatever the values.
        _scratch.Refuses(2, ["adapter: {rank: 32}"], "validate", _scratch.Recipe("ties", "a=1 b=1", "parameters: {density: 0.5}\n"));
        Assert.DoesNotContain("rank: 32", _scratch.Succeeds("validate", _scratch.Recipe("ties", "a=1 b=1", "parameters: {density: 0.5}\nadapter: {rank: 4}\n")).Error);
    }

    [Theory]
    [InlineData("ties", "parameters: {density: 0.5}\nadapter: {rank: 4}\n")]
    [InlineData("task_arithmetic", "")]
    [InlineData("knots", "adapter: {rank: 4}\n")]
    [InlineData("linear", "")]
    public void A_dry_run_names_the_adapters_and_no_file_of_the_zeros(string method, string section)
    {
        // What only one of them adapts the other has no tensor of.
        TinyCheckpoint.WriteFile(
            _scratch["b/adapter_model.safetensors"],
            TinyTensor.Pattern("F32", "base_model.model.layers.0.up_proj.lora_A.weight", [6, Outputs], 7),
            TinyTensor.Pattern("F32", "base_model.model.layers.0.up_proj.lora_B.weight", [Inputs, 6], 8));
        var recipe = _scratch.Recipe(method, "a=1 b=0.5", section);
        var tensors = _scratch.Succeeds("run", recipe, "--dry-run", "--json").Json.GetProperty("tensors").EnumerateArray().ToArray();
        Assert.Equal(2, tensors.Length);
        Assert.Equal(["a", "b"], tensors.Select(t =>
            Assert.Single(t.GetProperty("inputs").EnumerateArray()).GetProperty("model").GetString()!).Order());
        Assert.All(tensors, t => Assert.Equal(["a", "b"], t.GetProperty("values").EnumerateArray()
            .Where(v => v.GetProperty("parameter").GetString() == "weight").Select(v => v.GetProperty("model").GetString())));
        Assert.Contains("nothing was written", _scratch.Succeeds("run", recipe, "--dry-run").Out);
    }

    [Fact]
    public void A_search_whose_method_leaves_no_few_factors_is_refused_before_it_begins()
    {
        _scratch.Write("r.yaml", """
            merge_method: ties
            models: [a, b]
            parameters: {weight: 0.5}
            search: {searcher: random, trials: 3, space: {density: [0.2, 0.9]}}
            evaluate: {command: [sh, eval.sh, "{candidate}"]}
            objective: {maximize: score}
            """);
        _scratch.Refuses(2, ["adapter: {rank: 32}"], "search", "r.yaml", "--dry-run");
        _scratch.Refuses(2, ["adapter: {rank: 32}"], "search", "r.yaml", "out");
        Assert.False(Directory.Exists(_scratch["out"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("adapter: {rank: 3}\n")]
    public void What_was_read_and_written_is_counted(string section)
    {
        var json = _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1", section), "out", "--json").Json;
        Assert.Equal(4 * (4 + 6) * (Inputs + Outputs), json.GetProperty("bytes_read").GetInt64());
        Assert.Equal(4 * (section.Length == 0 ? 10 : 3) * (Inputs + Outputs), json.GetProperty("bytes_written").GetInt64());
    }

    [Fact]
    public void Half_a_pair_is_refused_with_the_module()
    {
        var tensors = TinyCheckpoint.ReadFile(_scratch["a/adapter_model.safetensors"]);
        TinyCheckpoint.WriteFile(_scratch["a/adapter_model.safetensors"], tensors[0]);
        _scratch.Refuses(1, ["layers.0.q_proj", "has no B"], "inspect", "a");
        _scratch.Refuses(1, ["layers.0.q_proj", "has no B"], "bake", "base", "out", "--adapter", "a");
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused_with_what_is_missing() =>
        _scratch.Refuses(1, ["layers.0.q_proj", "org/base"], "bake", Other(), "out", "--adapter", "a");

    [Fact]
    public void A_method_that_is_not_linear_asks_for_a_rank() => _scratch.Refuses(
        2, ["adapter: {rank: 32}"], "run", _scratch.Recipe("ties", "a=1 b=1", "parameters: {density: 0.5}\n"), "out");

    [Fact]
    public void A_wrong_target_is_refused_with_the_nearest()
    {
        _scratch.Succeeds("bake", "base", "baked", "--adapter", "a");
        _scratch.Refuses(2, ["q_porj", "q_proj"], "extract", "baked", "base", "out", "--target", "q_porj");
    }

    [Fact]
    public void A_model_is_not_extracted_from_itself()
    {
        var outcome = _scratch.Merge("extract", "base", "base", "out");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("nothing to extract", outcome.Error);
    }

    [Fact]
    public void Factors_in_a_file_of_any_name_are_no_model_and_inspect_says_what_they_are()
    {
        foreach (var name in new[] { "dif1", "dif2" })
        {
            Directory.CreateDirectory(_scratch[name]);
            TinyCheckpoint.WriteFile(
                _scratch[name + "/pytorch_lora_weights.safetensors"],
                TinyTensor.Pattern("F32", "unet.to_q.lora_A.weight", [4, Inputs], 1),
                TinyTensor.Pattern("F32", "unet.to_q.lora_B.weight", [Outputs, 4], 2));
        }
        _scratch.Refuses(1, ["nothing says their scale", "adapter_config.json"], "run", _scratch.Recipe("linear", "dif1=1 dif2=1"), "out");
        _scratch.Refuses(1, ["nothing says their scale"], "bake", "base", "out", "--adapter", "dif1");
        var listing = _scratch.Succeeds("inspect", "dif1").Out;
        Assert.Contains("tensors of an adapter, not of a model", listing);
        Assert.Contains("not mergeable: the adapter has no config", listing);
        Assert.Contains("lora_alpha/r", listing);
    }

    [Fact]
    public void Two_adapters_are_compared_by_their_changes()
    {
        var tensor = Assert.Single(_scratch.Succeeds("inspect", "a", "b", "--json").Json.GetProperty("tensors").EnumerateArray());
        Assert.Equal("layers.0.q_proj.weight", tensor.GetProperty("name").GetString());
        Assert.Equal(Outputs * Inputs, tensor.GetProperty("elements").GetInt32());
    }

    [Fact]
    public void A_base_with_an_adapter_in_it_is_no_name_for_a_config()
    {
        _scratch.Succeeds("bake", "base", "baked", "--adapter", "a", "--adapter", "b");
        Assert.Contains("--base-name", _scratch.Succeeds("extract", "baked", "base+a", "out", "--rank", "6").Error);
        Assert.DoesNotContain(
            "--base-name", _scratch.Succeeds("extract", "baked", "base+a", "named", "--rank", "6", "--base-name", "org/with-a").Error);
    }

    [Fact]
    public void What_is_wrong_with_a_command_is_said_of_the_command_line()
    {
        var error = _scratch.Refuses(2, ["the command line"], "bake", "base", "out", "--adapter", "base+nothere");
        Assert.DoesNotContain("line 2", error.Error);
    }

    [Fact]
    public void Validating_shows_which_adapters_are_in_a_model()
    {
        var lines = _scratch.Succeeds("validate", _scratch.Recipe("linear", "base+a=1 base+b=1")).Out.Split('\n');
        Assert.Contains(lines, l => l.Contains("model", StringComparison.Ordinal) && l.TrimEnd().EndsWith("+" + _scratch["a"], StringComparison.Ordinal));
    }

    private string Other()
    {
        TinyCheckpoint.Write(_scratch["other"], TinyTensor.Pattern("F32", "h.0.attn.weight", [4, 4], 1));
        return "other";
    }

    private void Adapter(string name, int rank, double alpha, int seed)
    {
        Directory.CreateDirectory(_scratch[name]);
        TinyCheckpoint.WriteFile(
            _scratch[$"{name}/adapter_model.safetensors"],
            TinyTensor.Pattern("F32", "base_model.model.layers.0.q_proj.lora_A.weight", [rank, Inputs], seed),
            TinyTensor.Pattern("F32", "base_model.model.layers.0.q_proj.lora_B.weight", [Outputs, rank], seed + 10));
        _scratch.Write($"{name}/adapter_config.json", JsonSerializer.Serialize(new
        {
            peft_type = "LORA",
            r = rank,
            lora_alpha = alpha,
            target_modules = new[] { "q_proj" },
            base_model_name_or_path = "org/base",
        }));
    }

    private static float[] Floats(TinyTensor tensor) =>
        [.. Enumerable.Range(0, tensor.Bytes.Length / 4).Select(i => BitConverter.ToSingle(tensor.Bytes, 4 * i))];
}

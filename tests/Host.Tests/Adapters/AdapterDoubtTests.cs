using System.Text.Json.Nodes;
using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>What could be taken for something else is said: names that do not fit, scales, bases and biases.</summary>
public sealed class AdapterDoubtTests : IDisposable
{
    private const string Query = "model.layers.0.q_proj";
    private const string Both = "models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("lora_only")]
    [InlineData("all")]
    public void Biases_are_told_by_their_setting_and_not_as_modules_to_save(string bias)
    {
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
        {
            var adapter = _bench.New(name, seed).Linear(Query, 6, 8, 4);
            adapter.Add($"base_model.model.{Query}.base_layer.bias", [6], adapter.Next(6));
            if (bias == "all")
                adapter.Add("base_model.model.model.layers.0.norm.bias", [8], adapter.Next(8));
            adapter.With(c => c["bias"] = bias).Write();
        }
        _bench.Run("merge_method: linear\n" + Both, "out");
        var config = JsonNode.Parse(File.ReadAllText(_bench["out/adapter_config.json"]))!;
        Assert.Null(config["modules_to_save"]);
        Assert.Equal(bias, (string?)config["bias"]);
    }

    [Fact]
    public void Slerp_of_adapters_is_refused_with_the_method_that_goes_between_two()
    {
        Pair();
        foreach (var recipe in new[] { Both, "models: [a]\n", "base_model: a\nmodels: [b]\n" })
        {
            var refused = _bench.Refused("merge_method: slerp\nparameters: {t: 0.3}\n" + recipe);
            Assert.True(refused.WrongUsage);
            Assert.Contains("nuslerp", refused.Message);
        }
        _bench.Run("merge_method: nuslerp\nmodels: [{model: a, parameters: {weight: 0.7}}, {model: b, parameters: {weight: 0.3}}]\n", "out");
        using var first = Adapter.Open(_bench["a"]);
        using var second = Adapter.Open(_bench["b"]);
        using var merged = Adapter.Open(_bench["out"]);
        var (x, y) = (AdapterBench.Delta(first, Query), AdapterBench.Delta(second, Query));
        double Dot(float[] p, float[] q) => p.Zip(q, (s, t) => (double)s * t).Sum();
        var angle = Math.Acos(Dot(x, y) / Math.Sqrt(Dot(x, x) * Dot(y, y)));
        AdapterBench.IsNear(
            x.Zip(y, (p, q) => ((Math.Sin(0.7 * angle) * p) + (Math.Sin(0.3 * angle) * q)) / Math.Sin(angle)),
            AdapterBench.Delta(merged, Query));
    }

    [Fact]
    public void A_base_that_is_only_named_need_not_be_there()
    {
        Pair();
        _bench.Run("merge_method: task_arithmetic\nbase_model: org/nothere\n" + Both, "out");
        Assert.Contains("\"base_model_name_or_path\": \"org/nothere\"", File.ReadAllText(_bench["out/adapter_config.json"]));
        _bench.Write("m/model.safetensors", (Query + ".weight", [6, 8]));
        Assert.Contains("'org/nothere' is not found", _bench.Refused(
            "merge_method: task_arithmetic\nbase_model: org/nothere\nmodels: [{model: m, parameters: {weight: 1}}]\n").Message);
    }

    [Fact]
    public void Modules_that_may_be_one_under_two_names_are_said_when_they_are_merged()
    {
        _bench.New("a").Linear("layers.0.q_proj", 6, 8, 4).Write();
        _bench.New("b").Linear("model.layers.0.q_proj", 6, 8, 4).Write();
        Assert.Contains(_bench.Run("merge_method: linear\n" + Both, "out"), w => w.Found.Contains("same under two names", StringComparison.Ordinal));
        _bench.New("b").Linear("layers.1.q_proj", 6, 8, 4).Write();
        Assert.Empty(_bench.Run("merge_method: linear\n" + Both, "out"));
    }

    [Fact]
    public void An_alpha_may_be_an_integer()
    {
        var bytes = new byte[8];
        bytes[0] = 6;
        SafetensorsWith("k.safetensors", ("x.lora_down.weight", DType.F32, [2, 4], new byte[32]),
            ("x.lora_up.weight", DType.F32, [4, 2], new byte[32]), ("x.alpha", DType.I64, [], bytes));
        using var adapter = Adapter.Open(_bench["k.safetensors"]);
        Assert.Equal(3, adapter.Modules["x"].Scale);
    }

    [Theory]
    [InlineData("r", "null")]
    [InlineData("lora_alpha", "null")]
    [InlineData("lora_alpha", "NaN")]
    public void A_number_that_is_null_is_called_that(string key, string value)
    {
        var adapter = _bench.New("a").Linear(Query, 6, 8, 4).Write();
        var path = _bench["a/adapter_config.json"];
        adapter.Config.Remove(key);
        File.WriteAllText(path, $"{adapter.Config.ToJsonString().TrimEnd('}')}, \"{key}\": {value}}}");
        Assert.Contains($"'{key}' is null, or no finite number", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["a"]).Dispose()).Message);
    }

    [Fact]
    public void An_alpha_by_pattern_is_taken_as_the_other_is()
    {
        var adapter = _bench.New("a").Linear(Query, 6, 8, 4);
        adapter.Config["alpha_pattern"] = new JsonObject { ["q_proj"] = -8 };
        using (var opened = adapter.Open())
        {
            Assert.Equal(-2, opened.Modules[Query].Scale);
            Assert.Contains("alpha is negative in all modules", Assert.Single(opened.Warnings).Found);
        }
        adapter.Config["alpha_pattern"] = new JsonObject { ["q_proj"] = 0 };
        using (var opened = adapter.Open())
            Assert.Contains("alpha is 0 in all modules", Assert.Single(opened.Warnings).Found);
        adapter.Config["alpha_pattern"] = new JsonObject { ["q_proj"] = "x" };
        Assert.Contains("'alpha_pattern['q_proj']' is \"x\"", Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message);
    }

    [Fact]
    public void A_name_that_fits_two_places_is_told_from_one_that_fits_none()
    {
        _bench.Write("base/model.safetensors", ("vision.layers.0.q_proj.weight", [6, 8]), ("text.layers.0.q_proj.weight", [6, 8]));
        _bench.New("a").Linear("layers.0.q_proj", 6, 8, 4).Write();
        var refused = _bench.Refused("merge_method: passthrough\nmodels: [{model: base+a}]\n");
        Assert.Contains("may be any of 2 in the model: text.layers.0.q_proj.weight, vision.layers.0.q_proj.weight", refused.Message);
    }

    [Fact]
    public void What_is_no_adapter_is_called_that()
    {
        _bench.Write("base/model.safetensors", (Query + ".weight", [6, 8]));
        Assert.Contains("this is no adapter", _bench.Refused("merge_method: passthrough\nmodels: [{model: base, adapters: [base]}]\n").Message);
        Directory.CreateDirectory(_bench["empty"]);
        Assert.Contains("there is no adapter", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["empty"]).Dispose()).Message);
    }

    [Fact]
    public void Factors_that_are_not_read_are_the_only_thing_said_of_their_module()
    {
        _bench.Write("h.safetensors", ("lora_unet_x.hada_w1_a", [4, 4]), ("lora_unet_x.alpha", []));
        Assert.Single(Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["h.safetensors"]).Dispose()).Diagnostics);
    }

    [Fact]
    public void Tensors_that_peft_would_leave_out_are_said()
    {
        var adapter = _bench.New("a").Linear(Query, 6, 8, 4).With(c => c["target_modules"] = new JsonArray("k_proj"));
        using (var opened = adapter.Open())
            Assert.Contains($"target_modules does not name '{Query}'", Assert.Single(opened.Warnings).Found);
        foreach (var target in new JsonNode?[] { "all-linear", @".*\.q_proj", new JsonArray("layers.0.q_proj"), null })
        {
            adapter.Config["target_modules"] = target;
            using var opened = adapter.Open();
            Assert.Empty(opened.Warnings);
        }
    }

    [Fact]
    public void Factors_of_what_is_tied_to_a_target_are_not_said_to_be_left_out()
    {
        using var adapter = _bench.New("a").Linear(Query, 6, 8, 4).Linear("lm_head", 9, 8, 4)
            .With(c => c["ensure_weight_tying"] = true).Open();
        Assert.Empty(adapter.Warnings);
    }

    [Theory]
    [InlineData("model.cls_token")]
    [InlineData("cls_token")]
    public void A_whole_parameter_beside_modules_with_factors_does_not_name_what_holds_them(string parameter)
    {
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
        {
            var adapter = _bench.New(name, seed).Linear(Query, 6, 8, 4);
            adapter.Add("base_model.model." + parameter, [8], adapter.Next(8)).Write();
        }
        var warnings = _bench.Run("merge_method: uniform\nmodels: [a, b]\n", "out");
        Assert.Equal(2, warnings.Count(w => w.Found.Contains($"'{parameter}' is brought whole")));
        Assert.Null(JsonNode.Parse(File.ReadAllText(_bench["out/adapter_config.json"]))!["modules_to_save"]);
    }

    [Fact]
    public void Names_of_modules_to_save_that_would_hit_more_are_written_in_full()
    {
        // PEFT asks for no dot before a name: 'head' would wrap 'side_overhead', which has factors.
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) })
        {
            var adapter = _bench.New(name, seed).Linear("side_overhead", 6, 8, 4);
            adapter.Add("base_model.model.top.head.weight", [3, 2], adapter.Next(6)).Add("base_model.model.norm.weight", [4], adapter.Next(4));
            adapter.With(c => c["modules_to_save"] = new JsonArray("head", "score")).Write();
        }
        _bench.Run("merge_method: linear\n" + Both, "out");
        var config = JsonNode.Parse(File.ReadAllText(_bench["out/adapter_config.json"]))!;
        Assert.Equal(["norm", "top.head"], config["modules_to_save"]!.AsArray().Select(m => (string)m!));
    }

    [Fact]
    public void A_module_with_the_factors_of_a_layer_and_of_an_embedding_is_refused()
    {
        var adapter = _bench.New("a").Linear(Query, 6, 8, 4).Embedding(Query, 6, 8, 4);
        Assert.Contains("those of a linear layer", Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message);
    }

    [Fact]
    public void A_parameter_that_is_there_twice_is_refused_unless_one_is_the_bases()
    {
        var adapter = _bench.New("a").Linear(Query, 6, 8, 4).Add("base_model.model.lm_head.modules_to_save.default.weight", [2, 2], new float[4]);
        adapter.Add("base_model.model.lm_head.original_module.weight", [2, 2], [1, 1, 1, 1]);
        using (var opened = adapter.Open())
            Assert.Equal(["lm_head.weight"], opened.Saved.Keys);
        adapter.Add("base_model.model.lm_head.weight", [2, 2], new float[4]);
        Assert.Contains("the parameter is there twice", Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message);
    }

    [Fact]
    public void A_parameter_called_alpha_is_no_scale()
    {
        using var adapter = _bench.New("a").Linear(Query, 6, 8, 4).Add("base_model.model.gate.alpha", [3], new float[3]).Open();
        Assert.Equal((2.0, "gate.alpha"), (adapter.Modules[Query].Scale, adapter.Saved.Keys.Single()));
    }

    private void Pair()
    {
        _bench.New("a", 1).Linear(Query, 6, 8, 4).Write();
        _bench.New("b", 2).Linear(Query, 6, 8, 4).Write();
    }

    private void SafetensorsWith(string path, params (string Name, DType DType, long[] Shape, byte[] Bytes)[] tensors)
    {
        var layout = SafetensorsLayout.Of(
            tensors.Select(t => new OutputTensor(t.Name, t.DType, [.. t.Shape])), long.MaxValue, new Dictionary<string, string>(), path);
        using var writer = OutputWriter.Create(Path.GetDirectoryName(_bench[path])!, layout);
        foreach (var (name, _, _, bytes) in tensors)
            writer.Write(0, layout.Placements[name].Offset, bytes);
    }
}

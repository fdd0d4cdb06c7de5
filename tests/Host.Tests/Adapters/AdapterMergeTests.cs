using System.Text.Json.Nodes;
using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>Recipes of adapters and of models with adapters in them, from the text to the files, against dense float64.</summary>
public sealed class AdapterMergeTests : IDisposable
{
    private const string Query = "model.layers.0.q_proj";
    private const string Up = "model.layers.1.up_proj";
    private const int Tokens = 12;

    private readonly TemporaryFolder _folder = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed()));
    private readonly float[] _query = WrittenTensors.Random(11, 24 * 40);
    private readonly float[] _up = WrittenTensors.Random(12, 64 * 24);
    private readonly float[] _embedding = WrittenTensors.Random(13, Tokens * 24);

    public void Dispose()
    {
        _catalog.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Baking_adds_the_adapter_and_keeps_the_dtype_of_the_base(bool isHalf)
    {
        Base(isHalf ? DType.BF16 : DType.F32);
        var adapter = First();
        using var out1 = Run("merge_method: passthrough\nmodels: [{model: base+a}]\n", "out");
        Assert.Equal(isHalf ? DType.BF16 : DType.F32, out1.Tensors[Query + ".weight"].DType);
        var tolerance = isHalf ? 4e-3 : 1e-6;
        IsNear(Add(Stored(_query, isHalf), adapter.Delta(Query, 2)), Values(out1, Query), tolerance);
        IsNear(Add(Stored(_embedding, isHalf), adapter.Delta("model.embed_tokens", 2)), Values(out1, "model.embed_tokens"), tolerance);
        Assert.Equal(Stored(_up, isHalf), Values(out1, Up));
    }

    [Fact]
    public void Adapters_below_a_model_have_weights_and_the_long_form_is_mergekits()
    {
        Base();
        var (a, b) = (First(), Second());
        using var listed = Run("""
            merge_method: passthrough
            models:
              - model: base
                adapters: [{adapter: a, weight: 0.5}, {adapter: b, weight: -2}]
            """, "listed");
        IsNear(Add(Add(_query, a.Delta(Query, 2 * 0.5)), b.Delta(Query, 0.5 * -2)), Values(listed, Query));
        using var longForm = Run("merge_method: passthrough\nmodels: [{model: {model: {path: base}, lora: {path: b}}}]\n", "long");
        IsNear(Add(_up, b.Delta(Up, 0.5)), Values(longForm, Up));
    }

    [Fact]
    public void Baking_a_concatenation_is_baking_one_after_the_other()
    {
        Base();
        (First(), Second()).ToString();
        Run("merge_method: task_arithmetic\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n", "both").Dispose();
        using var together = Run("merge_method: passthrough\nmodels: [{model: base+both}]\n", "together");
        Run("merge_method: passthrough\nmodels: [{model: base+a}]\n", "once").Dispose();
        using var twice = Run("merge_method: passthrough\nmodels: [{model: once+b}]\n", "twice");
        foreach (var name in together.Tensors.Keys)
            IsNear([.. WrittenTensors.Values(twice.Tensors[name]).Select(v => (double)v)], WrittenTensors.Values(together.Tensors[name]));
    }

    [Fact]
    public void Adapters_combine_exactly_and_their_config_says_what_their_tensors_are()
    {
        var (a, b) = (First(), Second());
        Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: 3}}, {model: b, parameters: {weight: 1}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        Assert.Equal((4 + 6, 6, 4), (merged.Modules[Query].Rank, merged.Modules[Up].Rank, merged.Modules["model.embed_tokens"].Rank));
        IsNear(Add(Scaled(a.Delta(Query, 2), 0.75), b.Delta(Query, 0.5 * 0.25)), Delta(merged, Query));
        IsNear(b.Delta(Up, 0.5 * 0.25), Delta(merged, Up));
        IsNear(Scaled(a.Delta("model.embed_tokens", 2), 0.75), Delta(merged, "model.embed_tokens"));
        Assert.All(merged.Modules.Values, m => Assert.Equal(1, m.Scale));
        Assert.Equal("org/base", merged.Config!.BaseModel);
        var json = merged.Config.Json;
        Assert.Equal(["embed_tokens", "q_proj", "up_proj", "v_proj"], json["target_modules"]!.AsArray().Select(t => (string)t!));
        Assert.Equal(2, json["rank_pattern"]!.AsObject().Count);
        Assert.Contains("base_model: org/base", File.ReadAllText(_folder["out/README.md"]));
    }

    [Theory]
    [InlineData("adapter: {rank: 3}", 3)]
    [InlineData("adapter: {energy: 0.6}", null)]
    public void A_smaller_rank_is_the_best_of_its_rank(string section, int? rank)
    {
        var (a, b) = (First(), Second());
        var plan = "merge_method: task_arithmetic\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n";
        Run(plan + section + "\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        var exact = Add(a.Delta(Query, 2), b.Delta(Query, 0.5));
        var sigma = new Merge.Compute.ManagedLinearAlgebra().Svd(new Matrix(24, 40, exact)).Sigma;
        var kept = merged.Modules[Query].Rank;
        Assert.Equal(rank ?? Enumerable.Range(1, 10).First(r => sigma.Take(r).Sum(s => s * s) >= 0.6 * sigma.Sum(s => s * s)), kept);
        Assert.Equal(Math.Sqrt(sigma.Skip(kept).Sum(s => s * s) / sigma.Sum(s => s * s)), Distance(exact, Delta(merged, Query)), 1e-5);
    }

    [Theory]
    [InlineData("ties", "density: 0.5")]
    [InlineData("dare_ties", "density: 0.5")]
    [InlineData("sce", "select_topk: 0.5")]
    [InlineData("breadcrumbs", "density: 0.5")]
    public void Every_task_vector_method_merges_adapters_as_models_on_a_base_of_zeros(string method, string parameters)
    {
        (First(), Second()).ToString();
        foreach (var (name, adapter) in new[] { ("da", "a"), ("db", "b") })
        {
            using var opened = Adapter.Open(_folder[adapter]);
            var tensors = new[] { (Query, 24 * 40, new long[] { 24, 40 }), (Up, 64 * 24, [64, 24]), ("model.embed_tokens", Tokens * 24, [Tokens, 24]) };
            WrittenTensors.Write(_folder[name + "/model.safetensors"], tensors.Select(t => (t.Item1 + ".weight", t.Item3,
                opened.Modules.ContainsKey(t.Item1) ? Delta(opened, t.Item1) : new float[t.Item2])));
            WrittenTensors.Write(_folder["zeros/model.safetensors"], tensors.Select(t => (t.Item1 + ".weight", t.Item3, new float[t.Item2])));
        }
        var models = $"merge_method: {method}\nparameters: {{{parameters}, weight: 0.7}}\nmodels: ";
        using var dense = Run(models + "[{model: da}, {model: db}]\nbase_model: zeros\n", "dense");
        Run(models + "[{model: a}, {model: b}]\nadapter: {energy: 1}\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        foreach (var module in merged.Modules.Keys)
            IsNear([.. Values(dense, module).Select(v => (double)v)], Delta(merged, module), 1e-5);
    }

    [Fact]
    public void What_is_no_product_of_few_factors_asks_for_a_rank()
    {
        (First(), Second()).ToString();
        var error = Assert.Throws<MergeException>(() => Run(
            "merge_method: ties\nparameters: {density: 0.5, weight: 1}\nmodels: [{model: a}, {model: b}]\n", "out").Dispose());
        Assert.Contains("adapter: {rank: 32}", error.Message);
        Assert.False(Directory.Exists(_folder["out"]) || Directory.Exists(_folder["out.partial"]));
    }

    [Fact]
    public void Averaged_factors_go_by_their_own_name()
    {
        var (a, b) = (First(), Adapted("c", 4, 8, 9));
        const string Models = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: c, parameters: {weight: 1}}]\n";
        Run(Models + "adapter: {combine: factors}\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        using var first = Adapter.Open(_folder["a"]);
        using var second = Adapter.Open(_folder["c"]);
        Assert.Equal(4, merged.Modules[Query].Rank);
        var (ma, mb) = (Mean(first.Modules[Query].A, second.Modules[Query].A), Mean(first.Modules[Query].B, second.Modules[Query].B));
        IsNear(Product(mb, ma, 4, 2), Delta(merged, Query));

        Run(Models + "adapter: {combine: peft_linear}\n", "peft").Dispose();
        using var peft = Adapter.Open(_folder["peft"]);
        // Weights of a half, scales of 2: roots of 1, so sums of the factors.
        IsNear(Product([.. mb.Select(v => 2 * v)], [.. ma.Select(v => 2 * v)], 4, 1), Delta(peft, Query));
    }

    [Fact]
    public void Dora_without_its_base_is_refused_with_the_reason()
    {
        var adapter = New("d", 3).Linear(Query, 24, 40, 4).Add($"base_model.model.{Query}.lora_magnitude_vector", [24], new float[24]);
        adapter.Config["use_dora"] = true;
        adapter.Write();
        First();
        var error = Assert.Throws<MergeException>(() => Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: d, parameters: {weight: 1}}]\n", "out").Dispose());
        Assert.Contains("DoRA", error.Message);
        Assert.Contains("base+adapter", error.Message);
    }

    [Fact]
    public void A_model_with_an_adapter_is_another_model_than_its_base()
    {
        Base();
        var adapter = First();
        using var merged = Run(
            "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: base+a, parameters: {weight: 0.5}}]\n", "out");
        IsNear(Add(_query, Scaled(adapter.Delta(Query, 2), 0.5)), Values(merged, Query));
    }

    [Fact]
    public void An_adapter_as_the_base_of_adapters_is_refused()
    {
        (First(), Second()).ToString();
        Assert.Contains("'base_model' is an adapter", Assert.Throws<MergeException>(() => Run(
            "merge_method: task_arithmetic\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1}}]\n", "out").Dispose()).Message);
    }

    [Fact]
    public void Ranks_of_modules_whose_names_end_alike_are_read_back()
    {
        New("x", 1).Linear("fc", 8, 6, 2).Linear("layers.fc", 8, 6, 4).Linear("x.q", 8, 6, 4).With(c =>
            (c["r"], c["rank_pattern"]) = (4, new JsonObject { ["layers.fc"] = 4, ["fc"] = 2 })).Write();
        Run("merge_method: linear\nmodels: [{model: x, parameters: {weight: 1}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        Assert.Equal([2, 4, 4], merged.Modules.Values.Select(m => m.Rank));
    }

    [Fact]
    public void Kohyas_adapters_are_merged_and_read_back_whatever_their_file_is_called()
    {
        foreach (var (name, seed) in new[] { ("k1", 1UL), ("k2", 2UL) })
        {
            WrittenTensors.Write(_folder[name + ".safetensors"],
            [
                ("lora_unet_q.lora_down.weight", [2, 8], WrittenTensors.Random(seed, 16)),
                ("lora_unet_q.lora_up.weight", [6, 2], WrittenTensors.Random(seed + 5, 12)),
                ("lora_unet_q.alpha", [], [1f]),
            ]);
        }
        Run("merge_method: linear\nmodels: [{model: k1.safetensors, parameters: {weight: 1}}, {model: k2.safetensors, parameters: {weight: 1}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        using var first = Adapter.Open(_folder["k1.safetensors"]);
        using var second = Adapter.Open(_folder["k2.safetensors"]);
        var mean = Delta(first, "lora_unet_q").Zip(Delta(second, "lora_unet_q"), (x, y) => 0.5 * ((double)x + y)).ToArray();
        IsNear(mean, Delta(merged, "lora_unet_q"));
    }

    [Fact]
    public void Averages_of_factors_are_for_linear_methods()
    {
        (First(), Second()).ToString();
        Assert.Contains("no factors to average", Assert.Throws<MergeException>(() => Run(
            "merge_method: ties\nparameters: {density: 0.5, weight: 1}\nmodels: [{model: a}, {model: b}]\nadapter: {combine: factors, rank: 4}\n",
            "out").Dispose()).Message);
    }

    [Fact]
    public void Saved_parameters_are_averaged_and_nothing_else()
    {
        var (a, b) = (New("s1", 1).Linear(Query, 24, 40, 4), New("s2", 2).Linear(Query, 24, 40, 4));
        var (x, y) = (a.Next(6), b.Next(6));
        a.Add("base_model.model.score.weight", [2, 3], x).Write();
        b.Add("base_model.model.score.weight", [2, 3], y).Write();
        Run("merge_method: linear\nmodels: [{model: s1, parameters: {weight: 1}}, {model: s2, parameters: {weight: 3}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        IsNear([.. x.Zip(y, (p, q) => (0.25 * p) + (0.75 * q))], WrittenTensors.Values(merged.Saved["score.weight"]));
        Assert.Contains("whole", Assert.Throws<MergeException>(() => Run(
            "merge_method: task_arithmetic\nmodels: [{model: s1, parameters: {weight: 1}}, {model: s2, parameters: {weight: 1}}]\n", "no").Dispose()).Message);
    }

    [Fact]
    public void An_adapter_among_models_is_refused()
    {
        Base();
        First();
        var error = Assert.Throws<MergeException>(() => Run(
            "merge_method: linear\nmodels: [{model: base, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]\n", "out").Dispose());
        Assert.Contains("'base+a'", error.Message);
    }

    [Fact]
    public void A_module_the_model_does_not_have_is_named()
    {
        Base();
        New("x", 4).Linear("model.layers.7.q_proj", 24, 40, 4).Write();
        var error = Assert.Throws<MergeException>(() => Run("merge_method: passthrough\nmodels: [{model: base+x}]\n", "out").Dispose());
        Assert.Contains("model.layers.7.q_proj.weight", error.Message);
        Assert.Contains("org/base", error.Message);
    }

    [Fact]
    public void Modules_have_ranks_of_their_own_in_a_recipe()
    {
        (First(), Second()).ToString();
        const string Both = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n";
        Run(Both + "adapter: {rank: 3, rank_pattern: {up_proj: 5, 'model.layers.0.q_proj': 2}}\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        Assert.Equal((2, 5, 3), (merged.Modules[Query].Rank, merged.Modules[Up].Rank, merged.Modules["model.embed_tokens"].Rank));
        // Without a rank for all, the others stay exact.
        Run(Both + "adapter: {rank_pattern: {q_proj: 1}}\n", "exact").Dispose();
        using var exact = Adapter.Open(_folder["exact"]);
        Assert.Equal((1, 6, 4), (exact.Modules[Query].Rank, exact.Modules[Up].Rank, exact.Modules["model.embed_tokens"].Rank));
        var error = Assert.Throws<MergeException>(() => Run(Both + "adapter: {rank: 3, rank_pattern: {q_porj: 2}}\n", "no").Dispose());
        Assert.Contains("Did you mean 'q_proj'", error.Message);
        Assert.Contains("the rank of 'q_proj' is '0'", Assert.Throws<MergeException>(
            () => Run(Both + "adapter: {rank_pattern: {q_proj: 0}}\n", "no").Dispose()).Message);
    }

    [Fact]
    public void A_pattern_behind_a_plus_stands_for_the_adapters_of_a_run()
    {
        Base();
        TinyAdapter[] run = [Adapted("run/step-2", 4, 8, 21), Adapted("run/step-10", 4, 8, 22)];
        using var soup = Run("merge_method: uniform\nmodels: [base+run/step-*]\n", "soup");
        IsNear(Add(Add(_query, Scaled(run[0].Delta(Query, 2), 0.5)), Scaled(run[1].Delta(Query, 2), 0.5)), Values(soup, Query));
        // By their steps: the last one alone.
        using var last = Run("merge_method: passthrough\nmodels: [{model: base+run/step-*, last: 1}]\n", "last");
        IsNear(Add(_query, run[1].Delta(Query, 2)), Values(last, Query));
        Assert.Contains("matches nothing", Assert.Throws<MergeException>(
            () => Run("merge_method: uniform\nmodels: [base+run/epoch-*]\n", "no").Dispose()).Message);
    }

    [Fact]
    public void Metrics_of_a_runs_adapters_are_those_beside_them()
    {
        Base();
        foreach (var (step, loss) in new[] { (2, 1.0), (10, 3.0) })
        {
            Adapted($"run/step-{step}", 4, 8, (ulong)step);
            File.WriteAllText(_folder[$"run/step-{step}/trainer_state.json"],
                $$"""{"global_step": {{step}}, "log_history": [{"step": {{step}}, "eval_loss": {{loss}}}]}""");
        }
        using var planner = new RecipePlanner(_catalog, []);
        var recipe = "merge_method: mwa\nmodels: [base+run/step-*]\nmetrics: {file: trainer_state.json, name: eval_loss}\n";
        var plan = planner.Plan(RecipeParser.Parse(_folder.WriteText("mwa.yaml", recipe), recipe), long.MaxValue);
        Assert.Equal(2, plan.Models.Count);
    }

    [Fact]
    public void What_all_adapters_say_of_their_base_stays()
    {
        foreach (var (adapter, revision) in new[] { (First(), "main"), (Second(), "main") })
        {
            adapter.Config["revision"] = revision;
            adapter.Config["auto_mapping"] = new JsonObject { ["base_model_class"] = "M" };
            adapter.Write();
        }
        const string Both = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n";
        Run(Both, "same").Dispose();
        var same = JsonNode.Parse(File.ReadAllText(_folder["same/adapter_config.json"]))!;
        Assert.Equal(("main", "M"), ((string?)same["revision"], (string?)same["auto_mapping"]!["base_model_class"]));
        Second().Config["revision"] = "v2";
        Second().With(c => c["revision"] = "v2").Write();
        Run(Both, "other").Dispose();
        var other = JsonNode.Parse(File.ReadAllText(_folder["other/adapter_config.json"]))!;
        Assert.Null(other["revision"]);
        Assert.Null(other["auto_mapping"]);
    }

    [Fact]
    public void A_plan_of_adapters_says_how_large_the_adapter_becomes_and_whose_they_are()
    {
        (First(), Second().With(c => c["base_model_name_or_path"] = "org/other").Write()).ToString();
        var recipe = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n";
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeParser.Parse(_folder.WriteText("r.yaml", recipe), recipe), long.MaxValue);
        Assert.Contains(plan.Warnings, w => w.Found.Contains("different models: org/base, org/other", StringComparison.Ordinal));
        Run(recipe, "out").Dispose();
        Assert.Equal(new FileInfo(_folder["out/adapter_model.safetensors"]).Length, plan.OutputBytes);
        Assert.Equal(
            new[] { "a", "b" }.Sum(n => new FileInfo(_folder[$"{n}/adapter_model.safetensors"]).Length), plan.InputBytes);
    }

    [Fact]
    public void Scales_are_applied_once_whatever_they_are()
    {
        // rsLoRA, a rank and an alpha by pattern: s = 6/√2 in q_proj, 3/√6 in up_proj; and 8/4 in the other.
        var (a, b) = (First(), New("rs", 3).Linear(Query, 24, 40, 2).Linear(Up, 64, 24, 6));
        b.Config["use_rslora"] = true;
        (b.Config["r"], b.Config["lora_alpha"]) = (6, 3);
        (b.Config["rank_pattern"], b.Config["alpha_pattern"]) = (new JsonObject { ["q_proj"] = 2 }, new JsonObject { ["layers.0.q_proj"] = 6 });
        b.Config["target_modules"] = new JsonArray("q_proj", "up_proj");
        b.Write();
        var expected = Add(Scaled(a.Delta(Query, 2), 0.5), b.Delta(Query, -2 * 6 / Math.Sqrt(2)));
        foreach (var section in new[] { "", "adapter: {rank: 6}\n", "adapter: {energy: 1}\n", "dtype: float32\n" })
        {
            Run("merge_method: linear\nparameters: {normalize: false}\nmodels: [{model: a, parameters: {weight: 0.5}}, {model: rs, parameters: {weight: -2}}]\n" + section, "out", force: true).Dispose();
            using var merged = Adapter.Open(_folder["out"]);
            IsNear(expected, Delta(merged, Query), 1e-6);
            IsNear(b.Delta(Up, -2 * 3 / Math.Sqrt(6)), Delta(merged, Up), 1e-6);
        }
        Base();
        using var baked = Run("merge_method: passthrough\nmodels: [{model: base+out}]\n", "baked");
        IsNear(Add(_query, expected), Values(baked, Query));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Peft_loads_what_is_written_and_it_means_the_same(bool older)
    {
        var rules = new PeftRules(older);
        var weights = new Dictionary<string, long[]>
        {
            [Query + ".weight"] = [24, 40],
            [Up + ".weight"] = [64, 24],
            ["model.embed_tokens.weight"] = [Tokens, 24],
            ["model.layers.0.v_proj.weight"] = [24, 40],
            ["score.weight"] = [2, 3],
            [Query + ".bias"] = [24],
        };
        (First(), Second()).ToString();
        const string Both = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 3}}]\n";
        foreach (var section in new[] { "", "adapter: {rank: 3}\n", "adapter: {energy: 0.7}\n", "adapter: {rank_pattern: {q_proj: 2}}\n", "dtype: bfloat16\n" })
        {
            Run(Both + section, "out", force: true).Dispose();
            using var merged = Adapter.Open(_folder["out"]);
            var (changes, saved) = rules.Load(_folder["out"], weights);
            Assert.Empty(saved);
            Assert.Equal(merged.Modules.Keys.Order().Select(m => m + ".weight"), changes.Keys.Order());
            foreach (var (weight, change) in changes)
                IsNear(change, Delta(merged, weight[..^".weight".Length]), 1e-6);
        }
        foreach (var name in new[] { "s1", "s2" })
        {
            var adapter = New(name, 7).Linear(Query, 24, 40, 4);
            adapter.Add("base_model.model.score.weight", [2, 3], adapter.Next(6));
            adapter.Add($"base_model.model.{Query}.base_layer.bias", [24], adapter.Next(24));
            adapter.Config["modules_to_save"] = new JsonArray("score");
            adapter.Config["bias"] = "lora_only";
            adapter.Write();
        }
        Run("merge_method: uniform\nmodels: [s1, s2]\n", "saved").Dispose();
        Assert.Equal(["model.layers.0.q_proj.bias", "score.weight"], rules.Load(_folder["saved"], weights).Saved.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Peft_loads_modules_stored_transposed(bool older)
    {
        foreach (var (name, rank) in new[] { ("t1", 4), ("t2", 6) })
        {
            var adapter = New(name, 8).Linear("h.0.c_attn", 24, 40, rank, transposed: true).Linear("h.0.c_proj", 16, 24, rank, transposed: true);
            (adapter.Config["r"], adapter.Config["fan_in_fan_out"]) = (rank, true);
            adapter.Config["target_modules"] = new JsonArray("c_attn", "c_proj");
            adapter.Write();
        }
        Run("merge_method: linear\nmodels: [{model: t1, parameters: {weight: 1}}, {model: t2, parameters: {weight: 3}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        var weights = new Dictionary<string, long[]> { ["h.0.c_attn.weight"] = [40, 24], ["h.0.c_proj.weight"] = [24, 16] };
        var (changes, _) = new PeftRules(older).Load(_folder["out"], weights);
        Assert.Equal(2, changes.Count);
        foreach (var (weight, change) in changes)
            IsNear(change, Delta(merged, weight[..^".weight".Length]), 1e-6);
        IsNear(Add(Scaled(New("t1", 8).Linear("h.0.c_attn", 24, 40, 4, true).Delta("h.0.c_attn", 0.25 * 8 / 4), 1),
            New("t2", 8).Linear("h.0.c_attn", 24, 40, 6, true).Delta("h.0.c_attn", 0.75 * 8 / 6)), Delta(merged, "h.0.c_attn"));
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Concatenation_reads_factors_of_any_dtype_and_adds_checksums_of_what_it_read(string dtype)
    {
        var type = Enum.Parse<DType>(dtype);
        var (a, b) = (WrittenTensors.Random(1, 4 * 40), WrittenTensors.Random(2, 24 * 4));
        WrittenTensors.Write(_folder["h/adapter_model.safetensors"],
            [($"base_model.model.{Query}.lora_A.weight", [4, 40], a), ($"base_model.model.{Query}.lora_B.weight", [24, 4], b)], type);
        File.WriteAllText(_folder["h/adapter_config.json"], """{"peft_type": "LORA", "r": 4, "lora_alpha": 8}""");
        Second();
        Run("merge_method: linear\nmodels: [{model: h, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n", "out").Dispose();
        using var merged = Adapter.Open(_folder["out"]);
        using var half = Adapter.Open(_folder["h"]);
        using var other = Adapter.Open(_folder["b"]);
        var expected = Delta(half, Query).Zip(Delta(other, Query), (x, y) => ((double)x + y) / 2).ToArray();
        IsNear(expected, Delta(merged, Query));
        var manifest = JsonNode.Parse(File.ReadAllText(_folder["out/merge_manifest.json"]))!;
        uint Crc(string file) => Crc32C.Append(0, File.ReadAllBytes(_folder[file]));
        Assert.Equal(
            [Crc("h/adapter_model.safetensors").ToString("x8"), Crc("b/adapter_model.safetensors").ToString("x8")],
            manifest["inputs"]!.AsArray().Select(i => (string?)i!["crc32c"]));
        Assert.Equal(Crc("out/adapter_model.safetensors").ToString("x8"), (string?)manifest["outputs"]![0]!["crc32c"]);
    }

    [Fact]
    public void A_candidate_that_finds_no_place_stops_its_generation_and_one_that_is_refused_does_not()
    {
        First();
        _folder.WriteText("occupied", "");
        Assert.Throws<MergeException>(() => Candidate("models: [{model: a, parameters: {weight: 1}}]", "occupied/candidate"));
        // Weights whose sum is 0 cannot be normalised.
        Assert.NotNull(Candidate(
            "models: [{model: a, parameters: {weight: 1}}, {model: a, parameters: {weight: -1}}]", "candidate").Fault);
    }

    private MergedMember Candidate(string models, string folder)
    {
        var path = _folder.WriteText("recipe.yaml", $"merge_method: linear\n{models}\n");
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeFile.Read(path), long.MaxValue);
        GenerationMember member = new(t => t.Options!, new AdapterPlace(_folder[folder]));
        return AdapterGeneration.Run(plan, [member], new RunSettings { Threads = 2 }, new RunProgress(), default).Single();
    }

    private Checkpoint Run(string recipe, string output, bool force = false)
    {
        var path = _folder.WriteText("recipe.yaml", recipe);
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeParser.Parse(path, recipe), long.MaxValue);
        MergeToFolder.Run(plan, _folder[output], force, false, new RunSettings { Threads = 2 }, new RunProgress(), default);
        return Checkpoint.Open(plan.Adapter is null ? _folder[output] : _folder[$"{output}/adapter_model.safetensors"]);
    }

    private void Base(DType dtype = DType.F32) => WrittenTensors.Write(_folder["base/model.safetensors"],
    [
        ("model.embed_tokens.weight", [Tokens, 24], _embedding),
        (Query + ".weight", [24, 40], _query),
        (Up + ".weight", [64, 24], _up),
    ], dtype);

    // s = 2 in all modules.
    private TinyAdapter First()
    {
        var adapter = New("a", 1).Linear(Query, 24, 40, 4).Embedding("model.embed_tokens", Tokens, 24, 4);
        adapter.Config["target_modules"] = new JsonArray("q_proj", "v_proj", "embed_tokens");
        return adapter.Write();
    }

    // s = 3 / 6 in all modules.
    private TinyAdapter Second()
    {
        var adapter = New("b", 2).Linear(Query, 24, 40, 6).Linear(Up, 64, 24, 6);
        (adapter.Config["r"], adapter.Config["lora_alpha"]) = (6, 3);
        adapter.Config["target_modules"] = new JsonArray("q_proj", "up_proj");
        return adapter.Write();
    }

    private TinyAdapter Adapted(string name, int rank, double alpha, ulong seed)
    {
        var adapter = New(name, seed).Linear(Query, 24, 40, rank).Embedding("model.embed_tokens", Tokens, 24, rank);
        (adapter.Config["r"], adapter.Config["lora_alpha"]) = (rank, alpha);
        return adapter.Write();
    }

    private TinyAdapter New(string name, ulong seed) => new(_folder[name], seed);

    private static float[] Delta(Adapter adapter, string module) => WrittenTensors.Values(
        AdaptedTensor.TaskVector(module, [(adapter.Modules[module], 1)], new RecentFactors()));

    private static float[] Values(Checkpoint checkpoint, string module) => WrittenTensors.Values(checkpoint.Tensors[module + ".weight"]);

    private static float[] Stored(float[] values, bool isHalf)
    {
        if (!isHalf)
            return values;
        var (bytes, rounded) = (new byte[values.Length * 2], new float[values.Length]);
        StoredValues.Encode(DType.BF16, values, bytes);
        StoredValues.Decode(DType.BF16, bytes, rounded);
        return rounded;
    }

    private static double[] Mean(TensorSource a, TensorSource b) =>
        [.. WrittenTensors.Values(a).Zip(WrittenTensors.Values(b), (x, y) => ((double)x + y) / 2)];

    private static double[] Product(double[] b, double[] a, int rank, double scale)
    {
        var (rows, columns) = (b.Length / rank, a.Length / rank);
        var product = new double[rows * columns];
        for (var i = 0; i < product.Length; i++)
            product[i] = scale * Enumerable.Range(0, rank).Sum(k => b[(i / columns * rank) + k] * a[(k * columns) + (i % columns)]);
        return product;
    }

    private static double[] Scaled(double[] values, double factor) => [.. values.Select(v => factor * v)];

    private static double[] Add(float[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Distance(double[] expected, float[] read) =>
        Math.Sqrt(expected.Zip(read, (e, r) => (e - r) * (e - r)).Sum() / expected.Sum(e => e * e));

    private static void IsNear(double[] expected, float[] read, double tolerance = 1e-6) =>
        Assert.InRange(Distance(expected, read), 0, tolerance);

    private static string Installed() => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));
}

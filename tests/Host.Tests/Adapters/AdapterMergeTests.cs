using System.Text.Json.Nodes;
using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Merging;
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

    private Checkpoint Run(string recipe, string output)
    {
        var path = _folder.WriteText("recipe.yaml", recipe);
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeParser.Parse(path, recipe), long.MaxValue);
        MergeToFolder.Run(plan, _folder[output], false, false, new RunSettings { Threads = 2 }, new RunProgress(), default);
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

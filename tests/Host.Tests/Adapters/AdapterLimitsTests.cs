using System.Text.RegularExpressions;
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

/// <summary>Where numbers, memory and disks end: what is written of adapters is warned of, or refused, in time.</summary>
public sealed class AdapterLimitsTests : IDisposable
{
    private const string Query = "model.layers.0.q_proj";
    private const int Outputs = 24;
    private const int Inputs = 40;

    private readonly TemporaryFolder _folder = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(
        PluginFolders.At(Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"))));

    public void Dispose()
    {
        _catalog.Dispose();
        _folder.Dispose();
    }

    [Theory]
    // In float16 6e-5 is the smallest number that has all its digits.
    [InlineData("float16", "", 1e-6, 1e-3, 2e-3)]
    [InlineData("float16", "adapter: {rank: 8}", 1e-6, 1e-3, 2e-3)]
    [InlineData("float16", "", 1, 1e5, 1e-3)]
    [InlineData("bfloat16", "", 1, 1, 4e-3)]
    [InlineData("bfloat16", "adapter: {rank: 3}", 1, 1, null)]
    [InlineData("float16", "adapter: {rank: 3}", 1, 1, null)]
    public void The_error_of_factors_of_sixteen_bits_is_that_of_what_is_stored(
        string dtype, string section, double size, double weight, double? most)
    {
        var expected = Sum(Adapter("a", 1, size).Delta(Query, 2 * weight), Adapter("b", 2, size).Delta(Query, 2 * weight));
        var summary = Run($"merge_method: task_arithmetic\nparameters: {{weight: {weight:R}}}\nmodels: [{{model: a}}, {{model: b}}]\ndtype: {dtype}\n{section}\n", "out");
        using var merged = Merge.Adapters.Adapter.Open(_folder["out"]);
        var error = Distance(expected, Delta(merged));
        Assert.InRange(error, 1e-7, most ?? 1);
        // What rounding takes and what the rank takes are orthogonal to first order.
        Assert.Equal(1, Assert.Single(summary.Modules).RelativeError / error, most is null ? 1e-3 : 1e-5);
        Assert.Empty(summary.Findings);
    }

    [Fact]
    public void Both_factors_have_room_whichever_of_them_has_the_scale()
    {
        // B alone would be 1e-9, which float16 does not tell from 0.
        Adapter("a", 1, 1e-6);
        Run("merge_method: task_arithmetic\nmodels: [{model: a, parameters: {weight: 0.001}}]\ndtype: float16\n", "out");
        using var merged = Merge.Adapters.Adapter.Open(_folder["out"]);
        var (a, b) = (Largest(merged.Modules[Query].A), Largest(merged.Modules[Query].B));
        Assert.InRange(a / b, 0.25, 4);
    }

    [Theory]
    [InlineData("float16", "", 1e12)]
    [InlineData("float16", "adapter: {rank: 2}", 1e12)]
    [InlineData("float32", "", 3e38)]
    public void Factors_beyond_their_dtype_are_refused_by_module(string dtype, string section, double weight)
    {
        Adapter("a", 1, 1);
        var refused = Assert.Throws<MergeException>(() => Run(
            $"merge_method: task_arithmetic\nmodels: [{{model: a, parameters: {{weight: {weight:E1}}}}}]\ndtype: {dtype}\n{section}\n", "out"));
        Assert.Equal(Query, refused.Diagnostics[0].Where);
        Assert.Contains("they would be written as infinities", refused.Message);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void What_vanishes_in_float16_is_warned_of_and_counted()
    {
        Adapter("a", 1, 1e-12);
        var summary = Run("merge_method: task_arithmetic\nmodels: [{model: a, parameters: {weight: 1e-3}}]\ndtype: float16\n", "out");
        Assert.Contains($"of the change of {Query}", Assert.Single(summary.Findings).Found);
        Assert.InRange(Assert.Single(summary.Modules).RelativeError, 0.01, 1);
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void An_infinity_that_baking_makes_is_warned_of(DType dtype)
    {
        Base(dtype);
        Adapter("a", 1, 1);
        var recipe = "merge_method: passthrough\nmodels: [{model: base, adapters: [{adapter: a, weight: 3e38}]}]\n";
        Assert.Contains("in no input", Assert.Single(Run(recipe, "out").Findings).Found);
    }

    [Fact]
    public void A_row_of_zeros_that_dora_divides_by_is_warned_of()
    {
        var weight = WrittenTensors.Random(5, Outputs * Inputs);
        weight.AsSpan(3 * Inputs, Inputs).Clear();
        Base(DType.F32, weight);
        new TinyAdapter(_folder["a"], 1)
            .Add($"base_model.model.{Query}.lora_A.weight", [4, Inputs], WrittenTensors.Random(6, 4 * Inputs))
            .Add($"base_model.model.{Query}.lora_B.weight", [Outputs, 4], new float[Outputs * 4])
            .Add($"base_model.model.{Query}.lora_magnitude_vector", [Outputs], [.. Enumerable.Repeat(1f, Outputs)])
            .With(c => c["use_dora"] = true).Write();
        var finding = Assert.Single(Run("merge_method: passthrough\nmodels: [{model: base+a}]\n", "out").Findings);
        Assert.Equal(Query + ".weight", finding.Where);
        Assert.Contains("a row of zeros", finding.Fix);
    }

    [Fact]
    public void An_infinity_of_the_base_is_not_the_adapters()
    {
        var weight = WrittenTensors.Random(5, Outputs * Inputs);
        weight[100] = float.PositiveInfinity;
        Base(DType.F32, weight);
        Adapter("a", 1, 1);
        Assert.Empty(Run("merge_method: passthrough\nmodels: [{model: base+a}]\n", "out").Findings);
    }

    [Theory]
    [InlineData("merge_method: passthrough\nmodels: [{model: base+a}]\n")]
    [InlineData("merge_method: passthrough\nmodels: [{model: base, adapters: [{adapter: a, weight: 0.5}]}]\n")]
    [InlineData("merge_method: linear\nmodels: [{model: a, parameters: {weight: 0.5}}, {model: a, parameters: {weight: 0.5}}]\n")]
    public void A_nan_in_a_whole_parameter_of_an_adapter_is_refused_and_nothing_is_kept(string recipe)
    {
        Base(DType.F32);
        var head = WrittenTensors.Random(7, 12 * Outputs);
        head[5] = float.NaN;
        Make("a", 1, 1).Add("base_model.model.lm_head.weight", [12, Outputs], head).Write();
        var refused = Assert.Throws<InputFault>(() => Run(recipe, "out", threads: 1));
        Assert.Contains("base_model.model.lm_head.weight", refused.Diagnostics[0].Where);
        // Others of the model were finished before: mended it is another input, which they serve nothing.
        Assert.Empty(Directory.GetDirectories(_folder["."], "out*"));
    }

    [Theory]
    [InlineData("merge_method: ties\nparameters: {density: 0.5, weight: 1}\nmodels: [{model: a}, {model: b}]\nadapter: {rank: 200}\n", "ties looks for 210 directions")]
    [InlineData("merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\nadapter: {rank: 3}\n", "linear works on factors of rank 8")]
    public void A_decomposition_beyond_the_memory_is_refused_before_anything_is_read(string recipe, string found)
    {
        Make("a", 1, 1, 400, 300).Write();
        Make("b", 2, 1, 400, 300).Write();
        var progress = new RunProgress();
        var refused = Assert.Throws<MergeException>(() => Run(recipe, "out", memory: 300_000, progress: progress));
        Assert.StartsWith(found, refused.Diagnostics[0].Found);
        Assert.Equal(Query + ".weight", refused.Diagnostics[0].Where);
        Assert.Matches("^Raise --memory to [0-9]+MB", refused.Diagnostics[0].Fix);
        Assert.Equal(0, progress.BytesRead);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void An_energy_that_may_take_more_than_the_memory_is_refused_before_anything_is_read()
    {
        const string Recipe = "merge_method: ties\nparameters: {density: 0.5, weight: 1}\nmodels: [{model: a}, {model: b}]\n";
        const long Memory = 60_000_000;
        Make("a", 1, 1, 1200, 1200).Write();
        Make("b", 2, 1, 1200, 1200).Write();
        var progress = new RunProgress();
        var refused = Assert.Throws<MergeException>(
            () => Run(Recipe + "adapter: {energy: 0.5}\n", "out", memory: Memory, progress: progress)).Diagnostics[0];
        Assert.StartsWith("ties may look for 1200 directions of this tensor, as its energy may take as many, which takes ", refused.Found);
        Assert.Equal(0, progress.BytesRead);
        var rank = int.Parse(Regex.Match(refused.Fix!, "Or give a rank beside the energy, no module more: ([0-9]+) fits").Groups[1].Value);
        Run(Recipe + $"adapter: {{energy: 0.5, rank: {rank}}}\n", "out", memory: Memory);
        Assert.Throws<MergeException>(() => Run(Recipe + $"adapter: {{energy: 0.5, rank: {rank + 1}}}\n", "more", memory: Memory));
        // Where nobody asked for just so much, what is needed is taken.
        Run(Recipe + "adapter: {energy: 0.5}\n", "grown", memory: Memory, mayGrow: true);
        Assert.True(Directory.Exists(_folder["grown"]));
    }

    [Theory]
    [InlineData("float32", "adapter: {rank: 3}", 3 * (4 + 4), true)]
    [InlineData("float16", "adapter: {rank: 3}", 3 * (4 + 2), true)]
    [InlineData("float32", "", 8 * 4, true)]
    [InlineData("float16", "", 8 * (4 + 2), true)]
    [InlineData("float32", "adapter: {energy: 0.9}", 1 * (4 + 4), false)]
    public void The_disk_that_finished_modules_and_their_file_take_is_known(string dtype, string section, int bytes, bool isAll)
    {
        Adapter("a", 1, 1);
        Adapter("b", 2, 1);
        using var planner = new RecipePlanner(_catalog, []);
        var recipe = $"merge_method: linear\nparameters: {{weight: 1}}\nmodels: [{{model: a}}, {{model: b}}]\ndtype: {dtype}\n{section}\n";
        var plan = planner.Plan(RecipeParser.Parse(_folder.WriteText("recipe.yaml", recipe), recipe), long.MaxValue);
        Assert.Equal(((long)bytes * (Outputs + Inputs), isAll), AdapterRoom.OnDisk(plan));
    }

    private MergeSummary Run(
        string recipe, string output, int threads = 2, long memory = RunSettings.DefaultMemory, RunProgress? progress = null, bool mayGrow = false)
    {
        using var planner = new RecipePlanner(_catalog, []);
        var plan = planner.Plan(RecipeParser.Parse(_folder.WriteText("recipe.yaml", recipe), recipe), long.MaxValue);
        return MergeToFolder.Run(plan, _folder[output], false, false,
            new RunSettings { Threads = threads, Memory = memory, MayGrow = mayGrow }, progress ?? new RunProgress(), default);
    }

    private void Base(DType dtype, float[]? query = null) => WrittenTensors.Write(_folder["base/model.safetensors"],
    [
        ("model.embed_tokens.weight", [12, Outputs], WrittenTensors.Random(1, 12 * Outputs)),
        (Query + ".weight", [Outputs, Inputs], query ?? WrittenTensors.Random(2, Outputs * Inputs)),
        ("lm_head.weight", [12, Outputs], WrittenTensors.Random(3, 12 * Outputs)),
    ], dtype);

    // s = 2. A is of size 1 about, B of what is asked for.
    private TinyAdapter Adapter(string name, ulong seed, double size) => Make(name, seed, size).Write();

    private TinyAdapter Make(string name, ulong seed, double size, int outputs = Outputs, int inputs = Inputs) =>
        new TinyAdapter(_folder[name], seed).Linear(
            Query, WrittenTensors.Random(seed + 20, 4 * inputs), WrittenTensors.Random(seed + 40, outputs * 4, size), 4);

    private static float[] Delta(Adapter adapter) => WrittenTensors.Values(
        AdaptedTensor.TaskVector(Query, [(adapter.Modules[Query], 1)], new RecentFactors()));

    private static float Largest(TensorSource tensor) => WrittenTensors.Values(tensor).Max(Math.Abs);

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Distance(double[] expected, float[] read) =>
        Math.Sqrt(expected.Zip(read, (e, r) => (e - r) * (e - r)).Sum() / expected.Sum(e => e * e));
}

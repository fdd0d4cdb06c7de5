using System.Text.Json.Nodes;
using Host.Tests.Checkpoints.PyTorch;
using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Commands;

namespace Host.Tests.Commands;

/// <summary><c>merge curvature</c> and <c>merge graft</c>, as a user runs them.</summary>
public sealed class CurvatureTests : IDisposable
{
    private readonly TestModels _models = new();

    public CurvatureTests()
    {
        _models.Write("base", null, Matrix("w", 0, 0, 0, 0), TestTensor.Of("b", 0, 0));
        _models.Write("tune", null, Matrix("w", 1, 2, 3, 4), TestTensor.Of("b", 1, 5));
        _models.Write("v", null, Matrix("w", 1, 2, 3, 6), TestTensor.Of("b", 1, 1));
        File.WriteAllText(_models["r.yaml"], """
            merge_method: ffg
            base_model: base
            models: [{model: tune, parameters: {preconditioner_path: v}}]
            """);
    }

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task Compressed_moments_are_row_and_column_sums_and_other_tensors_as_they_are()
    {
        Assert.Equal(0, (await Run("curvature", "compress", _models["v"], _models["c.safetensors"])).Code);
        using var compressed = Checkpoint.Open(_models["c.safetensors"]);
        Assert.Equal(["b", "w.column_sum", "w.row_sum"], compressed.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([3, 9], Values(compressed, "w.row_sum"));
        Assert.Equal([4, 8], Values(compressed, "w.column_sum"));
        Assert.Equal([1, 1], Values(compressed, "b"));
        Assert.Empty(Directory.GetFiles(_models.Root, "*.partial"));
    }

    [Fact]
    public async Task Of_a_training_checkpoint_the_second_moments_are_compressed_and_not_the_weights()
    {
        Assert.Equal(0, (await Run("curvature", "compress", PyTorchFixture.Path("groups.pt"), _models["c.safetensors"])).Code);
        using var training = Checkpoint.Open(PyTorchFixture.Path("groups.pt"));
        using var compressed = Checkpoint.Open(_models["c.safetensors"]);
        Assert.Equal(
            training.State.Keys.Where(k => k.EndsWith(".exp_avg_sq", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            compressed.Tensors.Keys.Select(k => k.Replace(".row_sum", "").Replace(".column_sum", "")).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Weights_are_not_taken_for_moments_where_those_have_no_names()
    {
        var training = PyTorchFixture.Path("groups_of_twins.pt");
        var (code, text) = await Run("curvature", "compress", training, _models["c.safetensors"]);
        Assert.Equal(1, code);
        Assert.Contains("the names cannot be told", text);
        using (var checkpoint = Checkpoint.Open(training))
            _models.Write("base", null, [.. checkpoint.Tensors.Values.Select(t => TestTensor.Of(t.Name, [.. Values(checkpoint, t.Name).Select(_ => 0f)]) with { Shape = [.. t.Shape] })]);
        File.WriteAllText(_models["r.yaml"], $"""
            merge_method: ffg
            base_model: base
            models:
              - model: {training}
            parameters:
              preconditioner_path: {training}
            """);
        (code, text) = await Run("run", _models["r.yaml"], _models["out"]);
        Assert.Equal(1, code);
        Assert.Contains("the names cannot be told", text);
        Assert.DoesNotContain("has nothing for any tensor", text);
    }

    [Fact]
    public async Task Compression_refuses_what_is_there_and_values_that_are_no_moments_and_leaves_nothing()
    {
        _models.Write("signs", null, Matrix("w", 1, -2, 3, 6));
        var (code, text) = await Run("curvature", "compress", _models["signs"], _models["c.safetensors"]);
        Assert.Equal(1, code);
        Assert.Contains("element 1 of side tensor 'w' is -2", text);
        Assert.Empty(Directory.GetFiles(_models.Root, "c.safetensors*"));
        Assert.Equal(0, (await Run("curvature", "compress", _models["v"], _models["c.safetensors"])).Code);
        Assert.Equal(2, (await Run("curvature", "compress", _models["v"], _models["c.safetensors"])).Code);
        Assert.Equal(0, (await Run("curvature", "compress", _models["v"], _models["c.safetensors"], "--force")).Code);
        Assert.Equal(2, (await Run("curvature", "compress", _models["v"], _models["c.bin"])).Code);
    }

    [Theory]
    [InlineData("v/model.safetensors", "v/model.safetensors")]
    [InlineData("v", "v/model.safetensors")]
    [InlineData("link.safetensors", "v/model.safetensors")]
    [InlineData("v", "linked/model.safetensors")]
    public async Task Moments_are_never_replaced_by_their_own_sums(string input, string output)
    {
        File.CreateSymbolicLink(_models["link.safetensors"], _models["v/model.safetensors"]);
        Directory.CreateSymbolicLink(_models["linked"], _models["v"]);
        var before = File.ReadAllBytes(_models["v/model.safetensors"]);
        foreach (var force in new string[][] { [], ["--force"] })
        {
            var (code, text) = await Run(["curvature", "compress", _models[input], _models[output], .. force]);
            Assert.Equal(2, code);
            Assert.Contains("the output is an input", text);
        }
        Assert.Equal(before, File.ReadAllBytes(_models["v/model.safetensors"]));
        Assert.Equal(0, (await Run("curvature", "compress", _models[input], _models["v/sums.safetensors"])).Code);
    }

    [Theory]
    [InlineData("", "its state is empty")]
    [InlineData("momentum_buffer", "its state holds 'momentum_buffer'")]
    public async Task Weights_beside_an_optimizer_without_second_moments_are_not_taken_for_them(string field, string words)
    {
        var state = field.Length == 0 ? "}" : $"}}U\u0001w}}{ZipBuilder.Tensor(field, 1)}s";
        var pickle = $"\u0080\u0002}}U\u0005model}}{ZipBuilder.Tensor("w", 0)}sU\u0009optimizer}}U\u0005state{state}sU\u000cparam_groups]ss.";
        File.WriteAllBytes(_models["p.pt"], ZipBuilder.Of(false, ZipBuilder.Saved(pickle, 2)));
        var (code, text) = await Run("curvature", "compress", _models["p.pt"], _models["c.safetensors"]);
        Assert.Equal(1, code);
        Assert.Contains($"the optimizer keeps no exp_avg_sq: {words}", text);
        Assert.Empty(Directory.GetFiles(_models.Root, "c.safetensors*"));

        _models.Write("base", null, TestTensor.Of("w", 0, 0));
        _models.Write("tune", null, TestTensor.Of("w", 1, 2));
        File.WriteAllText(_models["r.yaml"], File.ReadAllText(_models["r.yaml"]).Replace(": v}", ": p.pt}"));
        (code, text) = await Run("run", _models["r.yaml"], _models["out"]);
        Assert.Equal(1, code);
        Assert.Contains("has nothing for any tensor", text);
    }

    [Theory]
    [InlineData("row 1", 1, 1, 3e38f, 3e38f)]
    [InlineData("column 0", 3e38f, 1, 3e38f, 1)]
    public async Task Sums_beyond_float32_are_refused_by_the_tensor_s_name(string where, float a, float b, float c, float d)
    {
        _models.Write("large", null, Matrix("w", a, b, c, d));
        var (code, text) = await Run("curvature", "compress", _models["large"], _models["c.safetensors"]);
        Assert.Equal(1, code);
        Assert.Contains($"{where} of 'w' adds up to 6", text);
        Assert.Empty(Directory.GetFiles(_models.Root, "c.safetensors*"));
    }

    [Fact]
    public async Task A_threshold_keeps_the_share_of_the_whole_model_and_says_which_tensors_keep_it()
    {
        // Saliencies: w 1, 8, 27, 96; b 1, 25.
        var (code, text) = await Run("curvature", "threshold", _models["r.yaml"], "--density", "0.5", "--json");
        Assert.Equal(0, code);
        var json = JsonNode.Parse(text)!;
        Assert.Equal(25, json["models"]![0]!["precond_threshold"]!.GetValue<float>());
        Assert.Equal(0.5, json["models"]![0]!["kept"]!.GetValue<double>());
        var kept = json["tensors"]!.AsArray().ToDictionary(
            t => t!["name"]!.GetValue<string>(), t => t!["kept"]![0]!.GetValue<double>());
        Assert.Equal(0.5, kept["w"]);
        Assert.Equal(0.5, kept["b"]);
    }

    [Fact]
    public async Task A_report_is_a_page_of_thresholds_and_densities_and_replaces_only_a_page()
    {
        var page = _models["reports/masks.html"];
        string[] command = ["curvature", "threshold", _models["r.yaml"], "--density", "0.5", "--json", "--report"];
        Assert.Equal(0, (await Run([.. command, page])).Code);
        var html = File.ReadAllText(page);
        Assert.Contains("<th scope=\"row\">tune</th>\n<td>25</td>\n<td>0.5000</td>", html);
        var (code, text) = await Run([.. command, page]);
        Assert.Equal(0, code);
        Assert.Equal(page, JsonNode.Parse(text)!["report"]!.GetValue<string>());
        Assert.Equal(html, File.ReadAllText(page));
        Assert.Equal([page], Directory.GetFiles(_models["reports"]));

        (code, text) = await Run([.. command, _models["tune/model.safetensors"]]);
        Assert.Equal(2, code);
        Assert.Contains("does not end in .html", text);
        Directory.CreateDirectory(_models["folder.html"]);
        Assert.Equal(2, (await Run([.. command, _models["folder.html"]])).Code);
        Assert.Equal(2, (await Run([.. command, ""])).Code);
        Assert.Equal(1, (await Run([.. command, Path.Combine(_models["r.yaml"], "masks.html")])).Code);
    }

    [Fact]
    public async Task NaN_among_the_moments_is_refused_and_nothing_is_left_in_the_way_of_mended_ones()
    {
        string[] command = ["run", _models["r.yaml"], _models["out"], "--threads", "1"];
        foreach (var bad in new[] { "w", "b" })
        {
            _models.Write("v", null, Matrix("w", 1, 2, bad == "w" ? float.NaN : 3, 6), TestTensor.Of("b", 1, bad == "b" ? float.NaN : 1));
            var (code, text) = await Run(command);
            Assert.Equal(1, code);
            Assert.Contains($"element {(bad == "w" ? 2 : 1)} of side tensor '{bad}' is NaN", text);
            Assert.DoesNotContain("the same command", text);
            Assert.Empty(Directory.GetFileSystemEntries(_models.Root, "out*"));
        }
        _models.Write("v", null, Matrix("w", 1, 2, 3, 6), TestTensor.Of("b", 1, 1));
        Assert.Equal(0, (await Run(command)).Code);
    }

    [Fact]
    public async Task Moments_of_another_model_are_refused_with_the_name_of_the_one_they_should_be_of()
    {
        _models.Write("v", null, Matrix("transformer.w", 1, 2, 3, 6));
        var (code, text) = await Run("run", _models["r.yaml"], _models["out"]);
        Assert.Equal(1, code);
        Assert.Contains("'v' has nothing for any tensor of the model", text);
        Assert.Contains("give the file that belongs to 'tune'", text);
        _models.Write("v", null, TestTensor.Of("w", 1, 2, 3, 6), TestTensor.Of("b", 1, 1));
        (code, text) = await Run("run", _models["r.yaml"], _models["out"]);
        Assert.Equal(1, code);
        Assert.Contains("side tensor 'w' is F32 [4]", text);
        Assert.Contains("Give the file that belongs to 'tune'", text);
    }

    [Fact]
    public async Task Row_and_column_sums_of_two_matrices_are_refused()
    {
        _models.Write("v", null, TestTensor.Of("w.row_sum", 3, 9), TestTensor.Of("w.column_sum", 40, 80), TestTensor.Of("b", 1, 1));
        var (code, text) = await Run("run", _models["r.yaml"], _models["out"]);
        Assert.Equal(1, code);
        Assert.Contains("side tensor 'w.row_sum' adds up to 12, and the column sums beside it to 120", text);
    }

    [Fact]
    public async Task Moments_of_a_rank_that_do_not_fit_into_memory_are_refused_with_what_suffices()
    {
        TestTensor Large(float value) =>
            TestTensor.Of("w", [.. Enumerable.Repeat(value, 300_000)]) with { Shape = [300, 1000] };
        _models.Write("base", null, Large(0));
        _models.Write("tune", null, Large(1));
        _models.Write("v", null, Large(2));
        File.WriteAllText(_models["r.yaml"], File.ReadAllText(_models["r.yaml"]) + "\nparameters: {rank: 2}\n");
        string[] command = ["run", _models["r.yaml"], _models["out"], "--threads", "1", "--memory"];
        var (code, text) = await Run([.. command, "1MB"]);
        Assert.Equal(1, code);
        Assert.Contains("Raise --memory to ", text);
        Assert.Equal(0, (await Run([.. command, "64MB"])).Code);
    }

    [Fact]
    public async Task A_graft_is_the_base_with_the_most_salient_edits()
    {
        var (code, text) = await Run(
            "graft", _models["base"], _models["tune"], _models["out"], "--moments", _models["v"], "--density", "0.5", "--whole-model");
        Assert.True(code == 0, text);
        using var grafted = Checkpoint.Open(_models["out"]);
        Assert.Equal([0, 0, 3, 4], Values(grafted, "w"));
        Assert.Equal([0, 5], Values(grafted, "b"));
    }

    [Fact]
    public async Task A_missing_file_of_moments_says_where_it_was_looked_for_and_what_fetches_it()
    {
        File.WriteAllText(_models["r.yaml"], File.ReadAllText(_models["r.yaml"]).Replace(": v}", ": org/name/export/v.safetensors}"));
        var (code, text) = await Run("curvature", "threshold", _models["r.yaml"], "--density", "0.5");
        Assert.Equal(2, code);
        Assert.Contains("hf download org/name export/v.safetensors", text);
        Assert.Contains("models--org--name", text);
        Assert.Contains("line 3", text);
    }

    private static TestTensor Matrix(string name, params float[] values) => TestTensor.Of(name, values) with { Shape = [2, 2] };

    private static float[] Values(Checkpoint checkpoint, string tensor)
    {
        var stored = checkpoint.Tensors[tensor];
        var bytes = new byte[stored.Length];
        stored.Read(0, bytes);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }

    private static async Task<(int Code, string Text)> Run(params string[] words)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var plugins = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));
        string[] more = words[1] == "compress" ? [] : ["--plugins", plugins];
        var code = await CommandLine.RunAsync([.. words, .. more], new Terminal(output, error));
        return (code, output.ToString() + error);
    }
}

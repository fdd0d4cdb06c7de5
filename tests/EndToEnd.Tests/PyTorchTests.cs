using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>PyTorch files wherever a command or a recipe takes a checkpoint.</summary>
public sealed class PyTorchTests : IDisposable
{
    private static readonly TinyTensor[] A = Model(1), B = Model(2), Base = Model(3);

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_merge_with_a_PyTorch_folder_gives_the_bytes_of_one_with_safetensors()
    {
        TinyCheckpoint.Write(_scratch["a"], A);
        TinyCheckpoint.Write(_scratch["b"], B);
        TinyCheckpoint.Write(_scratch["base"], Base);
        var recipe = _scratch.Recipe("ties", "a=0.5 b=0.75", "base_model: base\nparameters: {density: 0.5}\n");
        _scratch.Succeeds("run", recipe, "expected");
        foreach (var (folder, model) in new[] { ("a", A), ("base", Base) })
        {
            Directory.Delete(_scratch[folder], recursive: true);
            TinyPyTorch.WriteFolder(_scratch[folder], model);
        }
        _scratch.Succeeds("run", recipe, "out");
        foreach (var name in new[] { "model.safetensors", "config.json", "tokenizer.json", "merge_recipe.yaml" })
            Assert.Equal(File.ReadAllBytes(_scratch[$"expected/{name}"]), File.ReadAllBytes(_scratch[$"out/{name}"]));
    }

    [Fact]
    public void Inspect_shows_a_PyTorch_file_and_what_was_unwrapped()
    {
        TinyPyTorch.Write(_scratch["a.pth"], new Dictionary<string, object> { ["epoch"] = 3L, ["state_dict"] = TinyPyTorch.Dict(A) });
        var text = _scratch.Succeeds("inspect", "a.pth").Out;
        Assert.Contains("layers.1.w", text);
        Assert.Contains("the weights are those under ['state_dict']", text);
        Assert.Contains("'epoch'", text);
        var json = _scratch.Succeeds("inspect", "a.pth", "--json").Json;
        Assert.Equal(
            A.Select(t => t.Name).Order(),
            json.GetProperty("tensors").EnumerateArray().Select(t => t.GetProperty("name").GetString()).Order());
    }

    [Fact]
    public void A_recipe_names_one_of_several_state_dicts_by_its_key()
    {
        TinyPyTorch.Write(_scratch["a.pt"], new Dictionary<string, object>
        {
            ["model"] = TinyPyTorch.Dict(A),
            ["ema"] = TinyPyTorch.Dict(B),
        });
        _scratch.Refuses(1, ["'model', 'ema'", "a.pt#ema"], "run", _scratch.Recipe("linear", "a.pt=1"), "out");
        var recipe = _scratch.Recipe("linear", "a.pt#model=0.25 a.pt#ema=0.75", "parameters: {normalize: false}\n");
        _scratch.Succeeds("run", recipe, "out");
        var (a, b) = (A[0].Values, B[0].Values);
        Assert.Equal(a.Zip(b, (x, y) => (x * 0.25) + (y * 0.75)), TinyCheckpoint.Read(_scratch["out"])[A[0].Name].Values);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ota_takes_second_moments_from_PyTorch_files(bool isOptimizer)
    {
        TinyCheckpoint.Write(_scratch["a"], A);
        TinyCheckpoint.Write(_scratch["b"], B);
        TinyCheckpoint.Write(_scratch["base"], Base);
        _scratch.Succeeds("run", Ota("safetensors"), "expected");
        _scratch.Succeeds("run", Ota("pt"), "out");
        Assert.Equal(
            File.ReadAllBytes(_scratch["expected/model.safetensors"]), File.ReadAllBytes(_scratch["out/model.safetensors"]));

        string Ota(string format)
        {
            var recipe = "merge_method: ota\nbase_model: base\nmodels:\n";
            foreach (var (seed, model) in new[] { "a", "b" }.Index())
            {
                var moments = Moments(seed);
                var path = _scratch[$"{model}-moments.{format}"];
                if (format == "safetensors")
                    TinyCheckpoint.WriteFile(path, moments);
                else
                    TinyPyTorch.Write(path, isOptimizer ? Optimizer(moments) : TinyPyTorch.Dict(moments));
                recipe += $"  - model: {model}\n    parameters: {{preconditioner_path: {path}, precond_threshold: 0.5}}\n";
            }
            return _scratch.Write($"{format}.yaml", recipe);
        }
    }

    // Of an optimizer made from names, in another order than the model.
    private static Dictionary<string, object> Optimizer(TinyTensor[] moments)
    {
        TinyTensor[] ordered = [.. moments.OrderBy(t => t.Shape.Length == 1)];
        var state = ordered.ToDictionary(
            t => t.Name, t => (object)new Dictionary<string, object> { ["step"] = 2L, ["exp_avg_sq"] = t });
        return new() { ["state"] = state, ["param_groups"] = Array.Empty<object>() };
    }

    private static TinyTensor[] Moments(int seed) =>
    [
        .. A.Select(t => TinyTensor.Of(
            "F32", t.Name, t.Shape, [.. TinyTensor.Pattern("F32", t.Name, t.Shape, seed + 10).Values.Select(v => v * v)])),
    ];

    private static TinyTensor[] Model(int seed) =>
    [
        .. Enumerable.Range(0, 2).SelectMany(i => new[]
        {
            TinyTensor.Pattern("F32", $"layers.{i}.w", [8, 6], (10 * seed) + i),
            TinyTensor.Pattern("F32", $"layers.{i}.norm", [6], (10 * seed) + i + 5),
        }),
    ];
}

using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>What stands in the merged file, to the bit.</summary>
public sealed class ValueTests : IDisposable
{
    private const int Count = 10_007;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("F64")]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Linear_is_the_weighted_average_rounded_once(string dtype)
    {
        var (a, b) = (TinyTensor.Pattern(dtype, "w", [Count], 1), TinyTensor.Pattern(dtype, "w", [Count], 2));
        TinyCheckpoint.Write(_scratch["a"], a);
        TinyCheckpoint.Write(_scratch["b"], b);
        var merged = Merged(_scratch.Recipe("linear", "a=1 b=3"))["w"];
        var expected = TinyTensor.Of(
            dtype, "w", [Count], [.. a.Values.Zip(b.Values, (x, y) => (0.25 * x) + (0.75 * y))]);
        Assert.Equal(dtype, merged.DType);
        Assert.Equal(expected.Bytes, merged.Bytes);
    }

    [Fact]
    public void Task_arithmetic_adds_task_vectors_of_models_of_any_dtype_to_the_base()
    {
        var tensors = new[] { "F64", "F32", "BF16", "F16" }
            .Select((dtype, i) => TinyTensor.Pattern(dtype, "w", [Count], i)).ToArray();
        foreach (var (name, tensor) in new[] { "base", "a", "b", "c" }.Zip(tensors))
            TinyCheckpoint.Write(_scratch[name], tensor);
        var merged = Merged(_scratch.Recipe("task_arithmetic", "a=0.5 b=-1 c=2", "base_model: base\n"))["w"];
        var (start, a, b, c) = (tensors[0].Values, tensors[1].Values, tensors[2].Values, tensors[3].Values);
        var expected = start.Select((s, i) => s + (0.5 * (a[i] - s)) - (b[i] - s) + (2 * (c[i] - s)));
        Assert.Equal("F64", merged.DType);
        Assert.Equal(expected, merged.Values);
    }

    [Fact]
    public void Integers_and_bools_come_from_the_first_model_unchanged()
    {
        foreach (var (name, offset) in new[] { ("a", 1), ("b", 100) })
            TinyCheckpoint.Write(_scratch[name], WithIntegers(offset));
        var recipe = _scratch.Recipe("linear", "a=1 b=1", "out_dtype: bfloat16\n");
        Merged(recipe);
        AssertIntegersOf(1);
        var manifest = JsonElement.Parse(File.ReadAllText(_scratch["out/merge_manifest.json"]));
        Assert.Equal(
            ["mask", "position_ids", "small"],
            manifest.GetProperty("copied").EnumerateArray().Select(n => n.GetString()).Order());
    }

    [Fact]
    public void Integers_and_bools_come_from_the_base_where_there_is_one()
    {
        foreach (var (name, offset) in new[] { ("a", 1), ("b", 100), ("base", 50) })
            TinyCheckpoint.Write(_scratch[name], WithIntegers(offset));
        Merged(_scratch.Recipe("task_arithmetic", "a=1 b=1", "base_model: base\n"));
        AssertIntegersOf(50);
    }

    [Fact]
    public void Scalars_and_empty_tensors_are_merged_too()
    {
        foreach (var (name, value) in new[] { ("a", 1), ("b", 2) })
        {
            TinyCheckpoint.Write(
                _scratch[name],
                TinyTensor.Of("F32", "scale", [], value),
                TinyTensor.Of("F32", "none", [0, 4]),
                TinyTensor.Of("BF16", "w", [1], value));
        }
        var merged = Merged(_scratch.Recipe("linear", "a=1 b=3"));
        Assert.Equal([1.75], merged["scale"].Values);
        Assert.Empty(merged["scale"].Shape);
        Assert.Empty(merged["none"].Bytes);
        Assert.Equal([0, 4], merged["none"].Shape);
        Assert.Equal([1.75], merged["w"].Values);
    }

    [Fact]
    public void Out_dtype_is_what_the_weights_and_the_config_say()
    {
        var (a, b) = (TinyTensor.Pattern("F32", "w", [Count], 1), TinyTensor.Pattern("F32", "w", [Count], 2));
        TinyCheckpoint.Write(_scratch["a"], a);
        TinyCheckpoint.Write(_scratch["b"], b);
        var merged = Merged(_scratch.Recipe("linear", "a=1 b=1", "dtype: float32\nout_dtype: bfloat16\n"))["w"];
        Assert.Equal("BF16", merged.DType);
        var expected = TinyTensor.Of("BF16", "w", [Count], [.. a.Values.Zip(b.Values, (x, y) => (x + y) / 2)]);
        Assert.Equal(expected.Bytes, merged.Bytes);
        var config = JsonElement.Parse(File.ReadAllText(_scratch["out/config.json"]));
        Assert.Equal("bfloat16", config.GetProperty("torch_dtype").GetString());
        Assert.Equal("tiny", config.GetProperty("model_type").GetString());
        Assert.Equal(3, config.EnumerateObject().Count());
    }

    [Fact]
    public void A_tied_head_that_no_model_stores_stays_tied()
    {
        foreach (var (name, value) in new[] { ("a", 1), ("b", 3) })
        {
            TinyCheckpoint.Write(
                _scratch[name], TinyTensor.Of("F32", "model.embed_tokens.weight", [2, 1], value, 2 * value));
            Tie(name);
        }
        var merged = Merged(_scratch.Recipe("linear", "a=1 b=1"));
        Assert.Equal([2.0, 4.0], Assert.Single(merged).Value.Values);
    }

    [Fact]
    public void A_head_that_another_model_ties_to_its_embedding_is_merged_with_that_embedding()
    {
        TinyCheckpoint.Write(
            _scratch["a"],
            TinyTensor.Of("F32", "model.embed_tokens.weight", [2, 1], 1, 2),
            TinyTensor.Of("F32", "lm_head.weight", [2, 1], 10, 20));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "model.embed_tokens.weight", [2, 1], 3, 4));
        Tie("b");
        var merged = Merged(_scratch.Recipe("linear", "a=1 b=1"));
        Assert.Equal([2.0, 3.0], merged["model.embed_tokens.weight"].Values);
        Assert.Equal([6.5, 12.0], merged["lm_head.weight"].Values);
    }

    private Dictionary<string, TinyTensor> Merged(string recipe)
    {
        _scratch.Succeeds("run", recipe, "out");
        return TinyCheckpoint.Read(_scratch["out"]);
    }

    private void Tie(string model) =>
        _scratch.Write($"{model}/config.json", "{\"model_type\": \"tiny\", \"tie_word_embeddings\": true}");

    private static TinyTensor[] WithIntegers(int offset) =>
    [
        TinyTensor.Of("I64", "position_ids", [2], offset, long.MinValue),
        TinyTensor.Of("I32", "small", [1], -offset),
        TinyTensor.Of("BOOL", "mask", [3], 1, 0, offset % 2),
        TinyTensor.Of("F32", "w", [1], offset),
    ];

    private void AssertIntegersOf(int offset)
    {
        var merged = TinyCheckpoint.Read(_scratch["out"]);
        foreach (var tensor in WithIntegers(offset).Where(t => t.DType != "F32"))
        {
            Assert.Equal(tensor.DType, merged[tensor.Name].DType);
            Assert.Equal(tensor.Bytes, merged[tensor.Name].Bytes);
        }
    }
}

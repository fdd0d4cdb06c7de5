using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>What a model with adapters in it reads as, against dense float64 algebra.</summary>
public sealed class AdaptedTensorTests : IDisposable
{
    private const double Tolerance = 1e-6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(4, 8, false)]
    [InlineData(4, 8, true)]
    [InlineData(16, 3, true)]
    [InlineData(33, 64, false)]
    public void A_linear_module_adds_s_B_A(int rank, double alpha, bool rslora)
    {
        var (adapter, weight) = (New("a"), WrittenTensors.Random(7, 70 * 90));
        adapter.Linear("layers.0.q_proj", 70, 90, rank);
        (adapter.Config["r"], adapter.Config["lora_alpha"], adapter.Config["use_rslora"]) = (rank, alpha, rslora);
        var scale = alpha / (rslora ? Math.Sqrt(rank) : rank);
        var read = Read(weight, [70, 90], "layers.0.q_proj.weight", (adapter, 1));
        IsNear(Sum(weight, adapter.Delta("layers.0.q_proj", scale)), read);
    }

    [Fact]
    public void Patterns_give_a_module_its_own_rank_and_alpha_and_the_first_match_holds()
    {
        var adapter = New("a").Linear("layers.0.q_proj", 20, 30, 2).Linear("layers.10.q_proj", 20, 30, 4);
        adapter.Config["rank_pattern"] = new JsonObject { ["layers.0.q_proj"] = 2, ["q_proj"] = 4 };
        adapter.Config["alpha_pattern"] = new JsonObject { ["0.q_proj"] = 6 };
        adapter.Config["r"] = 64;
        using var opened = adapter.Open();
        Assert.Equal(3, opened.Modules["layers.0.q_proj"].Scale);
        // '10' does not end a dotted part in '0', so the adapter's own alpha counts.
        Assert.Equal(2, opened.Modules["layers.10.q_proj"].Scale);
    }

    [Fact]
    public void Fan_in_fan_out_transposes()
    {
        var adapter = New("a").Linear("h.0.c_attn", 24, 40, 4, transposed: true);
        adapter.Config["fan_in_fan_out"] = true;
        var weight = WrittenTensors.Random(3, 40 * 24);
        IsNear(Sum(weight, adapter.Delta("h.0.c_attn", 2)), Read(weight, [40, 24], "h.0.c_attn.weight", (adapter, 1)));
    }

    [Fact]
    public void Fan_in_fan_out_counts_where_the_weight_is_stored_so()
    {
        // PEFT ignores the setting for plain linear layers, GPT-2's head for example.
        var adapter = New("a").Linear("lm_head", 24, 40, 4);
        adapter.Config["fan_in_fan_out"] = true;
        var weight = WrittenTensors.Random(3, 24 * 40);
        IsNear(Sum(weight, adapter.Delta("lm_head", 2)), Read(weight, [24, 40], "lm_head.weight", (adapter, 1)));
    }

    [Fact]
    public void Two_modules_for_one_weight_are_refused()
    {
        var adapter = New("a").Linear("encoder.block.q", 8, 8, 4).Linear("decoder.block.q", 8, 8, 4);
        var error = Assert.Throws<MergeException>(() => Read(new float[64], [8, 8], "block.q.weight", (adapter, 1)));
        Assert.Contains("both stand for 'block.q.weight'", error.Message);
    }

    [Fact]
    public void An_embedding_is_transposed()
    {
        var adapter = New("a").Embedding("embed_tokens", 50, 12, 4);
        var weight = WrittenTensors.Random(3, 50 * 12);
        IsNear(Sum(weight, adapter.Delta("embed_tokens", 2)), Read(weight, [50, 12], "embed_tokens.weight", (adapter, 1)));
    }

    [Fact]
    public void A_convolution_is_a_product_of_flattened_kernels()
    {
        var adapter = New("a").Convolution("conv", 10, 6, 3, 4);
        var weight = WrittenTensors.Random(3, 10 * 6 * 9);
        IsNear(Sum(weight, adapter.Delta("conv", 2)), Read(weight, [10, 6, 3, 3], "conv.weight", (adapter, 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dora_scales_every_output_to_its_magnitude(bool transposed)
    {
        var (outputs, inputs) = (30, 50);
        var adapter = Dora("a", outputs, inputs, transposed, out var magnitudes);
        var weight = WrittenTensors.Random(3, outputs * inputs);
        var sum = Sum(weight, adapter.Delta("q_proj", 2));
        int OutputOf(int i) => transposed ? i % outputs : i / inputs;
        var norms = new double[outputs];
        for (var i = 0; i < sum.Length; i++)
            norms[OutputOf(i)] += sum[i] * sum[i];
        var expected = sum.Select((v, i) => magnitudes[OutputOf(i)] / Math.Sqrt(norms[OutputOf(i)]) * v).ToArray();
        long[] shape = transposed ? [inputs, outputs] : [outputs, inputs];
        IsNear(expected, Read(weight, shape, "q_proj.weight", (adapter, 1)));

        var half = expected.Zip(weight, (e, w) => w + (0.5 * (e - w))).ToArray();
        IsNear(half, Read(weight, shape, "q_proj.weight", (adapter, 0.5)));
    }

    [Fact]
    public void Several_adapters_add_up_with_their_weights()
    {
        var (a, b) = (New("a").Linear("q_proj", 33, 65, 4), New("b", 2).Linear("q_proj", 33, 65, 7));
        b.Config["r"] = 7;
        var weight = WrittenTensors.Random(3, 33 * 65);
        var expected = Sum(Sum(weight, a.Delta("q_proj", 2 * 0.7)).Select(v => v).ToArray(), b.Delta("q_proj", 8.0 / 7 * -1.5));
        IsNear(expected, Read(weight, [33, 65], "q_proj.weight", (a, 0.7), (b, -1.5)));
    }

    [Fact]
    public void A_saved_parameter_takes_the_place_of_the_base()
    {
        var adapter = New("a").Linear("q_proj", 8, 8, 4);
        var head = adapter.Next(24);
        adapter.Add("base_model.model.classifier.weight", [3, 8], head);
        adapter.Config["modules_to_save"] = new JsonArray("classifier");
        var weight = WrittenTensors.Random(3, 24);
        WrittenTensors.Write(_folder["two.safetensors"], [("classifier.weight", [3, 8], weight), ("q_proj.weight", [8, 8], new float[64])]);
        using var model = Checkpoint.Open(_folder["two.safetensors"]);
        using var opened = adapter.Open();
        float[] Classifier(double share) =>
            WrittenTensors.Values(AdaptedModel.Tensors(model, [new(opened, share)], null, out _)["classifier.weight"]);
        Assert.Equal(head, Classifier(1));
        IsNear(weight.Zip(head, (w, h) => w + (0.25 * ((double)h - w))).ToArray(), Classifier(0.25));
    }

    [Fact]
    public void What_is_read_does_not_depend_on_where_a_read_begins()
    {
        var adapter = New("a").Linear("q_proj", 37, 129, 4);
        var dora = Dora("b", 37, 129, false, out _);
        using var model = Model(WrittenTensors.Random(3, 37 * 129), [37, 129], "q_proj.weight", DType.BF16);
        using var opened = adapter.Open();
        using var other = dora.Open();
        var tensor = AdaptedModel.Tensors(model, [new(opened, 1), new(other, 0.5)], null, out _)["q_proj.weight"];
        Assert.Equal((DType.F32, DType.BF16), (tensor.DType, tensor.OutputType));
        var whole = WrittenTensors.Values(tensor);
        foreach (var (start, count) in new[] { (0, 1), (128, 3), (129, 129), (200, 700), (36 * 129, 129), (1, (37 * 129) - 1) })
        {
            var part = new float[count];
            tensor.Read(start * 4, MemoryMarshal.AsBytes(part.AsSpan()));
            Assert.Equal(whole[start..(start + count)], part);
        }
    }

    [Theory]
    [InlineData("model.layers.0.q_proj.weight", "layers.0.q_proj")]
    [InlineData("layers.0.q_proj.weight", "model.layers.0.q_proj")]
    [InlineData("language_model.model.layers.0.q_proj.weight", "model.layers.0.q_proj")]
    public void Names_agree_whatever_wraps_the_model(string stored, string module)
    {
        var adapter = New("a").Linear(module, 8, 8, 4);
        var weight = WrittenTensors.Random(3, 64);
        IsNear(Sum(weight, adapter.Delta(module, 2)), Read(weight, [8, 8], stored, (adapter, 1)));
    }

    [Fact]
    public void Kohyas_names_and_alphas_are_understood()
    {
        var (a, b) = (WrittenTensors.Random(1, 2 * 8), WrittenTensors.Random(2, 6 * 2));
        WrittenTensors.Write(_folder["k.safetensors"],
        [
            ("lora_unet_down_blocks_0_proj_in.lora_down.weight", [2, 8], a),
            ("lora_unet_down_blocks_0_proj_in.lora_up.weight", [6, 2], b),
            ("lora_unet_down_blocks_0_proj_in.alpha", [], [1f]),
        ]);
        using var adapter = Adapter.Open(_folder["k.safetensors"]);
        var weight = WrittenTensors.Random(3, 48);
        using var model = Model(weight, [6, 8], "down_blocks.0.proj_in.weight");
        var read = WrittenTensors.Values(AdaptedModel.Tensors(model, [new(adapter, 1)], null, out _)["down_blocks.0.proj_in.weight"]);
        for (var i = 0; i < 6; i++)
        {
            for (var j = 0; j < 8; j++)
            {
                var delta = Enumerable.Range(0, 2).Sum(k => (double)b[(i * 2) + k] * a[(k * 8) + j]) / 2;
                Assert.Equal(weight[(i * 8) + j] + delta, read[(i * 8) + j], 1e-6);
            }
        }
    }

    private TinyAdapter New(string name, ulong seed = 1) => new(_folder[name], seed);

    private TinyAdapter Dora(string name, int outputs, int inputs, bool transposed, out float[] magnitudes)
    {
        var adapter = New(name, 5).Linear("q_proj", outputs, inputs, 4, transposed);
        magnitudes = [.. adapter.Next(outputs).Select(m => 1 + MathF.Abs(m))];
        adapter.Add("base_model.model.q_proj.lora_magnitude_vector", [outputs], magnitudes);
        (adapter.Config["use_dora"], adapter.Config["fan_in_fan_out"]) = (true, transposed);
        return adapter;
    }

    private Checkpoint Model(float[] weight, long[] shape, string name, DType dtype = DType.F32)
    {
        WrittenTensors.Write(_folder["model.safetensors"], [(name, shape, weight)], dtype);
        return Checkpoint.Open(_folder["model.safetensors"]);
    }

    private float[] Read(float[] weight, long[] shape, string name, params (TinyAdapter Adapter, double Weight)[] adapters)
    {
        using var model = Model(weight, shape, name);
        var opened = adapters.Select(a => new WeightedAdapter(a.Adapter.Open(), a.Weight)).ToArray();
        try
        {
            return WrittenTensors.Values(AdaptedModel.Tensors(model, opened, null, out _)[name]);
        }
        finally
        {
            foreach (var adapter in opened)
                adapter.Adapter.Dispose();
        }
    }

    private static double[] Sum(float[] weight, double[] delta) => [.. weight.Zip(delta, (w, d) => w + d)];

    private static double[] Sum(double[] weight, double[] delta) => [.. weight.Zip(delta, (w, d) => w + d)];

    private static void IsNear(double[] expected, float[] read)
    {
        var error = Math.Sqrt(expected.Zip(read, (e, r) => (e - r) * (e - r)).Sum());
        Assert.InRange(error / Math.Sqrt(expected.Sum(e => e * e)), 0, Tolerance);
    }
}

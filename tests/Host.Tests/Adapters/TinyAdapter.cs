using System.Text.Json.Nodes;
using Merge.Adapters;

namespace Host.Tests.Adapters;

/// <summary>A PEFT adapter of one test, written module by module, and the same algebra in float64.</summary>
internal sealed class TinyAdapter(string folder, ulong seed)
{
    private readonly List<(string Name, long[] Shape, float[] Values)> _tensors = [];
    private readonly Dictionary<string, (float[] A, float[] B, int Rank, bool Transposed)> _factors = [];
    private ulong _draws = seed * 1000;

    public JsonObject Config { get; } = new()
    {
        ["peft_type"] = "LORA",
        ["r"] = 4,
        ["lora_alpha"] = 8,
        ["target_modules"] = new JsonArray("q_proj", "v_proj"),
        ["base_model_name_or_path"] = "org/base",
    };

    public string Folder => folder;

    public TinyAdapter Linear(string module, int outputs, int inputs, int rank, bool transposed = false)
    {
        var (a, b) = (Next(rank * inputs), Next(outputs * rank));
        return Linear(module, a, b, rank, transposed);
    }

    public TinyAdapter Linear(string module, float[] a, float[] b, int rank, bool transposed = false)
    {
        Add($"base_model.model.{module}.lora_A.weight", [rank, a.Length / rank], a);
        Add($"base_model.model.{module}.lora_B.weight", [b.Length / rank, rank], b);
        _factors[module] = (a, b, rank, transposed);
        return this;
    }

    public TinyAdapter Embedding(string module, int tokens, int size, int rank)
    {
        var (a, b) = (Next(rank * tokens), Next(size * rank));
        Add($"base_model.model.{module}.lora_embedding_A", [rank, tokens], a);
        Add($"base_model.model.{module}.lora_embedding_B", [size, rank], b);
        _factors[module] = (a, b, rank, true);
        return this;
    }

    public TinyAdapter Convolution(string module, int outputs, int channels, int kernel, int rank)
    {
        var (a, b) = (Next(rank * channels * kernel * kernel), Next(outputs * rank));
        Add($"base_model.model.{module}.lora_A.weight", [rank, channels, kernel, kernel], a);
        Add($"base_model.model.{module}.lora_B.weight", [outputs, rank, 1, 1], b);
        _factors[module] = (a, b, rank, false);
        return this;
    }

    public TinyAdapter Add(string name, long[] shape, float[] values)
    {
        _tensors.Add((name, shape, values));
        return this;
    }

    public TinyAdapter With(Action<JsonObject> change)
    {
        change(Config);
        return this;
    }

    public TinyAdapter Without(string name)
    {
        _tensors.RemoveAll(t => t.Name == name);
        return this;
    }

    public TinyAdapter Write()
    {
        WrittenTensors.Write(Path.Combine(folder, Adapter.TensorFiles[0]), _tensors);
        File.WriteAllText(Path.Combine(folder, AdapterConfig.FileName), Config.ToJsonString());
        return this;
    }

    public Adapter Open()
    {
        Write();
        return Adapter.Open(folder);
    }

    public float[] Next(long count) => WrittenTensors.Random(_draws++, count, 0.3);

    /// <summary>s·B·A as the weight is stored, in float64, by the definition.</summary>
    public double[] Delta(string module, double scale)
    {
        var (a, b, rank, transposed) = _factors[module];
        var (outputs, inputs) = (b.Length / rank, a.Length / rank);
        var delta = new double[outputs * inputs];
        for (var i = 0; i < outputs; i++)
        {
            for (var j = 0; j < inputs; j++)
            {
                var sum = 0.0;
                for (var k = 0; k < rank; k++)
                    sum += (double)b[(i * rank) + k] * a[(k * inputs) + j];
                delta[transposed ? (j * outputs) + i : (i * inputs) + j] = scale * sum;
            }
        }
        return delta;
    }
}

using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>How a run uses the machine changes no byte of its result, whatever the method asks of the host.</summary>
public sealed class DeterminismTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public DeterminismTests()
    {
        // One tensor of many blocks, several of few, one of less than one.
        foreach (var (seed, model) in new[] { "base", "a", "b" }.Index())
        {
            TinyCheckpoint.Write(
                _scratch[model],
                TinyTensor.Pattern("BF16", "model.embed_tokens.weight", [1111, 1009], seed),
                TinyTensor.Pattern("F32", "layers.0.w", [257, 1031], seed + 10),
                TinyTensor.Pattern("F32", "layers.1.w", [64, 63], seed + 20),
                TinyTensor.Pattern("F16", "norm.weight", [63], seed + 30));
        }
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("linear", "a=0.3 b=0.9", "")]
    [InlineData("task_arithmetic", "a=0.3 b=0.9", "base_model: base\n")]
    [InlineData("ties", "a=0.3 b=0.9", "base_model: base\nparameters: {density: 0.3}\n")]
    [InlineData("della", "a=0.3 b=0.9", "base_model: base\nparameters: {density: 0.4, epsilon: 0.1}\nseed: 7\n")]
    [InlineData("slerp", "a", "base_model: base\nparameters: {t: 0.3}\n")]
    [InlineData("model_stock", "a b", "base_model: base\n")]
    [InlineData("sce", "a b", "base_model: base\nparameters: {select_topk: 0.3}\n")]
    [InlineData("row_softmax", "a b", "base_model: base\n")]
    public void Threads_and_memory_change_no_byte(string method, string models, string more)
    {
        var recipe = _scratch.Recipe(method, models, more);
        string[] plugins = ["--plugins", Path.Combine(MergeProcess.TestPlugins, "strategies")];
        string[][] settings = [["--threads", "1"], ["--threads", "5"], ["--threads", "2", "--memory", "40MB"]];
        foreach (var (i, setting) in settings.Index())
        {
            Directory.CreateDirectory(_scratch[$"{i}"]);
            _scratch.Succeeds(["run", recipe, $"{i}/out", .. plugins, .. setting]);
        }
        FolderContent.AssertSame(_scratch["0/out"], _scratch["1/out"]);
        FolderContent.AssertSame(_scratch["0/out"], _scratch["2/out"]);
    }
}

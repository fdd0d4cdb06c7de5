using System.Text.Json.Nodes;
using EndToEnd.Tests.Support;
using Host.Tests.Compute.Gpu;

namespace EndToEnd.Tests;

/// <summary>The program on an OpenCL device: the same bytes, and it says what computed.</summary>
public sealed class DeviceTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public DeviceTests()
    {
        foreach (var (seed, model) in new[] { "base", "a", "b" }.Index())
        {
            TinyCheckpoint.Write(
                _scratch[model],
                TinyTensor.Pattern("BF16", "model.embed_tokens.weight", [1111, 1009], seed),
                TinyTensor.Pattern("F32", "layers.0.w", [257, 1031], seed + 10),
                TinyTensor.Pattern("F16", "norm.weight", [63], seed + 30));
        }
    }

    public void Dispose() => _scratch.Dispose();

    [OpenClTheory]
    [InlineData("linear", "")]
    [InlineData("ties", "base_model: base\nparameters: {density: 0.3}\n")]
    [InlineData("della", "base_model: base\nparameters: {density: 0.4, epsilon: 0.1}\nseed: 7\n")]
    public void A_device_changes_no_byte(string method, string more)
    {
        var recipe = _scratch.Recipe(method, "a=0.3 b=0.9", more);
        foreach (var device in new[] { "cpu", "opencl:0" })
            Directory.CreateDirectory(_scratch[device]);
        _scratch.Succeeds("run", recipe, "cpu/out");
        var said = JsonNode.Parse(_scratch.Succeeds("run", recipe, "opencl:0/out", "--device", "opencl:0", "--json").Out)!;
        Assert.Equal("opencl:0", (string?)said["device"]);
        Assert.Equal(method == "della" ? 1 : 0, said["on_processor"]!.AsArray().Count);
        FolderContent.AssertSame(_scratch["cpu/out"], _scratch["opencl:0/out"]);
    }

    [OpenClFact]
    public void A_plan_names_the_device_and_what_the_processor_does()
    {
        var recipe = _scratch.Recipe("della", "a=0.3 b=0.9", "base_model: base\nparameters: {density: 0.4, epsilon: 0.1}\n");
        var text = _scratch.Succeeds("run", recipe, "--dry-run", "--device", "opencl:0").Out;
        Assert.Matches(@"device  .*\(opencl:0\)", text);
    }
}

using System.Reflection;
using System.Runtime.InteropServices;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>The samples of plugins that bring more than themselves.</summary>
public sealed class BridgeTests : IDisposable
{
    private static readonly string _samples = Path.Combine(MergeProcess.Root, "artifacts", "sampleplugins");
    private readonly Scratch _scratch = new();

    public BridgeTests()
    {
        TinyCheckpoint.Write(_scratch["base"], TinyTensor.Of("F32", "mlp.w", [3], 0, 0, 0), TinyTensor.Of("F32", "attn.w", [1], 0));
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "mlp.w", [3], 1, -3, 0), TinyTensor.Of("F32", "attn.w", [1], 8));
    }

    public void Dispose() => _scratch.Dispose();

    [LinuxFact]
    public void A_plugin_calls_the_native_library_it_ships()
    {
        var recipe = _scratch.Recipe("soft_clip", "a", "base_model: base\nparameters: {limit: 1}\n");
        _scratch.Succeeds("run", recipe, "out", "--plugins", Path.Combine(_samples, "native"));
        Assert.Equal([0.5, -0.75, 0], TinyCheckpoint.Read(_scratch["out"])["mlp.w"].Values);
    }

    [LinuxFact]
    public void It_does_so_where_it_is_installed()
    {
        _scratch.Succeeds("plugins", "install", Path.Combine(_samples, "native"));
        var recipe = _scratch.Recipe("soft_clip", "a", "base_model: base\nparameters: {limit: 1}\n");
        _scratch.Succeeds("run", recipe, "out");
        Assert.Equal([0.5, -0.75, 0], TinyCheckpoint.Read(_scratch["out"])["mlp.w"].Values);
    }

    [Fact]
    public void A_plugin_uses_its_own_version_of_a_library_of_the_host()
    {
        var plugin = Path.Combine(_samples, "own-yaml");
        var own = Version(Path.Combine(plugin, "YamlDotNet.dll"));
        Assert.NotEqual(own, Version(Path.Combine(Path.GetDirectoryName(MergeProcess.Program)!, "YamlDotNet.dll")));
        var recipe = _scratch.Recipe("layer_table", "a", "base_model: base\nparameters: {table: '{mlp: 0.5, attn: 0.25}'}\n");
        _scratch.Succeeds("run", recipe, "out", "--plugins", plugin);
        var merged = TinyCheckpoint.Read(_scratch["out"]);
        Assert.Equal([0.5, -1.5, 0], merged["mlp.w"].Values);
        Assert.Equal([2], merged["attn.w"].Values);
        Assert.Contains($"YamlDotNet {own.ToString(3)}", _scratch.Succeeds("explain", "layer_table", "--plugins", plugin).Out);
    }

    private static Version Version(string dll) => AssemblyName.GetAssemblyName(dll).Version!;

    /// <summary>A test with a library for linux-x64: skipped, as unavailable, elsewhere.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class LinuxFactAttribute : FactAttribute
    {
        public LinuxFactAttribute()
        {
            if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
                Skip = "unavailable: the sample's library is for linux-x64";
        }
    }
}

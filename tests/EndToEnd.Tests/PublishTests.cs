using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>A folder that brings its own runtime, as for a machine without .NET.</summary>
[Collection(PackedSdk.Collection)]
public sealed class PublishTests(PackedSdk sdk) : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_self_contained_publish_merges_where_no_dotnet_is_installed()
    {
        // In a place of its own for what is built: the other tests run from the ordinary one. Compiling ahead would only take time.
        sdk.Dotnet(MergeProcess.Root, "publish", Path.Combine(MergeProcess.Root, "host"), "-c", "Release", "--self-contained", "--use-current-runtime",
            "-o", _scratch["published"], $"-p:ArtifactsPath={_scratch["artifacts"]}", "-p:PublishReadyToRun=false", "-nodeReuse:false");
        Assert.False(File.Exists(_scratch["artifacts/merge/merge"]), "the host that is run from the repository was built with a runtime beside it");
        var recipe = _scratch.Recipe("linear", "a=1 b=3");
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "w", [2], 1, 2));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "w", [2], 5, 6));
        using var process = MergeProcess.Start(
            _scratch["published/merge"], _scratch["."], new() { ["DOTNET_ROOT"] = _scratch["none"], ["PATH"] = "/usr/bin:/bin" }, "run", recipe, "out");
        var outcome = process.Wait();
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Equal(TinyTensor.Of("F32", "w", [2], 4, 5).Bytes, TinyCheckpoint.Read(_scratch["out"])["w"].Bytes);
    }
}

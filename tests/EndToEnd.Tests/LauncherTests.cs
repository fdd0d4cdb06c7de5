using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>
/// <c>./merge</c>, copied with what is built into a tree of its own: it must not build into the folder from which the
/// other tests run.
/// </summary>
public sealed class LauncherTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public LauncherTests()
    {
        string[] sources =
            ["host/a", "sdk/a", "plugins/a", "samples/a", "Directory.Build.props", "global.json", "BannedSymbols.txt"];
        foreach (var source in sources)
            _scratch.Write($"tree/{source}", "");
        File.Copy(Path.Combine(MergeProcess.Root, "merge"), _scratch["tree/merge"]);
        var built = Path.GetDirectoryName(MergeProcess.Program)!;
        foreach (var file in Directory.GetFiles(built))
        {
            Directory.CreateDirectory(_scratch["tree/artifacts/merge"]);
            File.Copy(file, _scratch[$"tree/artifacts/merge/{Path.GetFileName(file)}"]);
        }
        _scratch.Write("tree/artifacts/merge/.built", "");
        Directory.CreateDirectory(_scratch["elsewhere"]);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void What_is_built_starts_from_any_folder_and_through_a_link()
    {
        File.CreateSymbolicLink(_scratch["link"], _scratch["tree/merge"]);
        foreach (var launcher in new[] { "tree/merge", "link" })
        {
            var outcome = Launch(launcher, "--version");
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
            Assert.Matches(@"^\d+\.\d+\.\d+", outcome.Out);
            Assert.Equal("", outcome.Error);
        }
    }

    [Fact]
    public void The_exit_code_is_that_of_merge() => Assert.Equal(2, Launch("tree/merge", "rum").ExitCode);

    [Fact]
    public void An_edited_source_is_built_first_and_a_failed_build_says_why()
    {
        var built = File.GetLastWriteTimeUtc(_scratch["tree/artifacts/merge/.built"]);
        File.SetLastWriteTimeUtc(_scratch["tree/host/a"], built.AddMinutes(1));
        var outcome = Launch("tree/merge", "--version");
        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith("building merge", outcome.Error);
        // There is no project in this tree.
        Assert.Contains("Merge.Host.csproj", outcome.Error);
        Assert.Contains("could not be built", outcome.Error);
        Assert.Equal("", outcome.Out);
    }

    private Outcome Launch(string launcher, params string[] arguments)
    {
        using var process = MergeProcess.Start(_scratch[launcher], _scratch["elsewhere"], [], arguments);
        return process.Wait();
    }
}

using System.Diagnostics;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>
/// A disk that runs full during a search: it says so, stops, and ends with the trials of an undisturbed one when there is room
/// again. Once on a small file system of the test's own, once everywhere by a limit on the size of files.
/// </summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly SearchLab _lab = new();

    public FullDiskTests() => _lab.Evaluator("echo \"about $sum\" >&2\necho \"{\\\"score\\\": 0.$sum}\"");

    public void Dispose() => _lab.Dispose();

    [SmallDiskTheory]
    // Of kB: full at the first candidates, in the middle, at the second look, at the model and its report.
    [InlineData(60, "disk")]
    [InlineData(160, "disk")]
    [InlineData(12, "memory")]
    [InlineData(140, "memory")]
    [InlineData(205, "memory")]
    public void It_stops_the_search_and_loses_no_trial(int size, string place)
    {
        // Of several pages, so that a file system of pages runs full within one.
        for (var i = 0; i < 4; i++)
            TinyCheckpoint.Write(_lab.Scratch[$"m{i}"], TinyTensor.Pattern("F32", "layers.0.w", [64, 64], i));
        _lab.Recipe(evaluate: $", candidates: {{place: {place}}}");
        var undisturbed = Undisturbed();
        var outcome = Shell($"""
            mkdir small && mount -t tmpfs -o size={size}k none small
            "$MERGE" search r.yaml small/out; echo "first $?"
            mount -o remount,size=64m small
            "$MERGE" search r.yaml small/out $([ -e small/out/journal.jsonl ] && echo --resume) > /dev/null; echo "second $?"
            cp -r small/out out
            """, ["unshare", "--user", "--map-root-user", "--mount"]);
        Assert.Contains("first 1", outcome.Out);
        Assert.Contains("second 0", outcome.Out);
        Assert.Contains("the disk is full", outcome.Error);
        Assert.Matches("Free space|free space|Raise", outcome.Error);
        Check(outcome, undisturbed);
        Assert.Equal(File.ReadAllBytes(_lab.Scratch["undisturbed/best/model.safetensors"]), File.ReadAllBytes(_lab.Scratch["out/best/model.safetensors"]));
    }

    [Theory]
    // Of KiB: the journal and the cache of scores, the report.
    [InlineData(2)]
    [InlineData(20)]
    public void A_file_that_cannot_grow_stops_the_search_and_loses_no_trial(int size)
    {
        _lab.Recipe(evaluate: ", candidates: {place: memory}");
        var undisturbed = Undisturbed();
        // The evaluator is free to write what it likes: only merge's own files are limited. Executable memory of the runtime is
        // a file, too, unless it is told otherwise.
        var outcome = Shell($"""
            trap '' XFSZ
            ( ulimit -S -f {size}; DOTNET_EnableWriteXorExecute=0 "$MERGE" search r.yaml out; echo "first $?" )
            "$MERGE" search r.yaml out $([ -e out/journal.jsonl ] && echo --resume) > /dev/null; echo "second $?"
            """, []);
        Assert.Contains("first 1", outcome.Out);
        Assert.Contains("second 0", outcome.Out);
        Assert.Contains("longer than the file system or a limit", outcome.Error);
        Check(outcome, undisturbed);
        FolderContent.AssertSame(_lab.Scratch["undisturbed/best"], _lab.Scratch["out/best"]);
    }

    private string[] Undisturbed()
    {
        _lab.Succeeds();
        Directory.Move(_lab.Scratch["out"], _lab.Scratch["undisturbed"]);
        return _lab.Trials("undisturbed");
    }

    private void Check(Outcome outcome, string[] undisturbed)
    {
        Assert.DoesNotContain("   at Merge.", outcome.Error);
        Assert.DoesNotContain("fault in merge itself", outcome.Error);
        Assert.Equal(undisturbed, _lab.Trials());
        Assert.EndsWith("</html>", File.ReadAllText(_lab.Scratch["out/report.html"]).TrimEnd());
    }

    private Outcome Shell(string script, string[] before)
    {
        string[] command = [.. before, "bash", "-c", script];
        using var process = MergeProcess.Start(
            command[0], _lab.Scratch["."], new() { ["MERGE"] = MergeProcess.Program }, command[1..]);
        return process.Wait();
    }

    /// <summary>A test with a file system of its own: skipped, as unavailable, where users may not have name spaces.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SmallDiskTheoryAttribute : TheoryAttribute
    {
        private static readonly bool _isThere = IsThere();

        public SmallDiskTheoryAttribute()
        {
            if (!_isThere)
                Skip = "unavailable: name spaces of users, by unshare";
        }

        private static bool IsThere()
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(
                    "unshare", ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
                { RedirectStandardError = true })!;
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}

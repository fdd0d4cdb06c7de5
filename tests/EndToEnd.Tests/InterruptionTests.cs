using System.Diagnostics;
using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>A merge that is killed, stopped or started twice: no wrong folder, and no finished work is lost.</summary>
public sealed class InterruptionTests(BigModels models) : IClassFixture<BigModels>, IDisposable
{
    private const int Interrupt = 2;
    private const int Kill = 9;
    private const int Continue = 18;
    private const int Stop = 19;

    private readonly string _place = Directory.CreateDirectory(models.Scratch[Path.GetRandomFileName()]).FullName;

    public void Dispose() => Directory.Delete(_place, recursive: true);

    private string Out => Path.Combine(_place, "out");

    private string Partial => Out + ".partial";

    private string JournalPath => Path.Combine(Partial, "journal.jsonl");

    [Fact]
    public void A_killed_merge_resumes_and_gives_the_same_bytes()
    {
        KillOne();
        Assert.False(Directory.Exists(Out));
        Assert.InRange(Finish().GetProperty("tensors_resumed").GetInt32(), 3, 159);
        FolderContent.AssertSame(models.Undisturbed, Out);
        Assert.False(Directory.Exists(Partial));
    }

    [Fact]
    public void What_is_corrupt_in_a_partial_folder_is_done_again()
    {
        var finished = KillOne();
        var file = Path.Combine(Partial, "model.safetensors");
        var tensor = JsonElement.Parse(finished[1]).GetProperty("tensor").GetString()!;
        FlipLastByteOf(tensor, file);
        Assert.InRange(Finish().GetProperty("tensors_resumed").GetInt32(), finished.Length - 2, 159);
        FolderContent.AssertSame(models.Undisturbed, Out);
    }

    [Fact]
    public void A_journal_cut_within_a_line_is_believed_up_to_there()
    {
        var finished = KillOne();
        File.WriteAllText(JournalPath, string.Join('\n', finished[..3]) + '\n' + finished[3][..^5]);
        Assert.Equal(2, Finish().GetProperty("tensors_resumed").GetInt32());
        FolderContent.AssertSame(models.Undisturbed, Out);
    }

    [Fact]
    public void Another_recipe_starts_anew()
    {
        KillOne();
        var other = models.Scratch.Write(
            "other.yaml", "merge_method: linear\nmodels: [a, b]\nparameters: {weight: 1}\n");
        var json = models.Scratch.Succeeds([.. models.Arguments(Out, other), "--json"]).Json;
        Assert.Equal(0, json.GetProperty("tensors_resumed").GetInt32());
        var (a, b) = (TinyCheckpoint.Read(models.Scratch["a"]), TinyCheckpoint.Read(models.Scratch["b"]));
        var merged = TinyCheckpoint.Read(Out);
        Assert.Equal(a.Count, merged.Count);
        foreach (var name in new[] { "layers.0.w", "layers.1.w", "layers.159.w" })
            Assert.Equal(a[name].Values.Zip(b[name].Values, (x, y) => (x + y) / 2), merged[name].Values);
    }

    [Fact]
    public void A_second_merge_into_the_same_folder_is_refused_while_the_first_runs()
    {
        using var first = StartOne();
        first.Signal(Stop);
        var second = models.Scratch.Merge(models.Arguments(Out));
        Assert.True(second.ExitCode == 1, second.ToString());
        Assert.Contains("Another merge may be writing this output", second.Error);
        Assert.Contains(Partial, second.Error);
        Assert.DoesNotContain("   at ", second.Error);
        first.Signal(Continue);
        Assert.Equal(0, first.Wait().ExitCode);
        FolderContent.AssertSame(models.Undisturbed, Out);
    }

    [Fact]
    public void Ctrl_c_keeps_what_is_finished_and_says_so()
    {
        using var process = StartOne();
        process.Signal(Interrupt);
        var outcome = process.Wait();
        Assert.True(outcome.ExitCode == 130, outcome.ToString());
        Assert.Contains("stopped", outcome.Error);
        Assert.Contains("same command", outcome.Error);
        Assert.Contains(Partial, outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Error);
        Assert.False(Directory.Exists(Out));
        Assert.InRange(Finish().GetProperty("tensors_resumed").GetInt32(), 3, 159);
        FolderContent.AssertSame(models.Undisturbed, Out);
    }

    private JsonElement Finish() => models.Scratch.Succeeds([.. models.Arguments(Out), "--json"]).Json;

    /// <summary>
    /// Starts a merge and kills it once some tensors are finished; gives the journal's whole lines, of which the first
    /// tells merges apart.
    /// </summary>
    private string[] KillOne()
    {
        using var process = StartOne();
        process.Signal(Kill);
        Assert.Equal(128 + Kill, process.Wait().ExitCode);
        var text = File.ReadAllText(JournalPath);
        return text[..text.LastIndexOf('\n')].Split('\n');
    }

    private MergeProcess StartOne()
    {
        var process = models.Scratch.Start(models.Arguments(Out));
        var clock = Stopwatch.StartNew();
        // Merge holds the journal locked: only its length can be seen. A tensor's line is shorter than this.
        while (new FileInfo(JournalPath) is not { Exists: true, Length: > 5 * 120 })
        {
            Assert.False(process.HasExited, "the merge ended before it could be interrupted");
            Assert.True(clock.Elapsed < MergeProcess.Patience, "the merge finished no tensor");
            Thread.Sleep(2);
        }
        return process;
    }


    private static void FlipLastByteOf(string tensor, string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        using var reader = new BinaryReader(file);
        var length = reader.ReadInt64();
        var offsets = JsonElement.Parse(reader.ReadBytes((int)length)).GetProperty(tensor).GetProperty("data_offsets");
        var last = 8 + length + offsets[1].GetInt64() - 1;
        file.Position = last;
        var value = file.ReadByte();
        file.Position = last;
        file.WriteByte((byte)(value ^ 0x40));
    }
}

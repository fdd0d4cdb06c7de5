using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class OutputWriterTests : IDisposable
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_have_header_and_full_length_before_any_data()
    {
        var layout = Layout(2);
        using var writer = OutputWriter.Create(_folder["new/out"], layout);
        foreach (var file in layout.Files)
        {
            var bytes = File.ReadAllBytes(_folder[$"new/out/{file.Name}"]);
            Assert.Equal([.. file.Header, .. new byte[8]], bytes);
        }
        Assert.Equal(layout.Index, File.ReadAllBytes(_folder["new/out/model.safetensors.index.json"]));
    }

    [Fact]
    public void Many_threads_write_in_any_order()
    {
        var layout = SafetensorsLayout.Of([new("a", DType.U8, [100_000])], 1_000_000, Metadata);
        var start = layout.Placements["a"].Offset;
        using (var writer = OutputWriter.Create(_folder["out"], layout))
        {
            Parallel.For(0, 1000, i => writer.Write(0, start + (100 * i), Enumerable.Repeat((byte)i, 100).ToArray()));
            writer.Sync();
        }
        var bytes = File.ReadAllBytes(_folder["out/model.safetensors"]);
        for (var i = 0; i < 100_000; i++)
            Assert.Equal((byte)(i / 100), bytes[start + i]);
    }

    [Fact]
    public void Writes_outside_the_data_are_refused()
    {
        var layout = Layout(1);
        using var writer = OutputWriter.Create(_folder["out"], layout);
        var file = layout.Files[0];
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(0, file.Header.Length - 1, new byte[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(0, file.Size - 1, new byte[2]));
    }

    [Fact]
    public void An_interrupted_output_is_resumed_with_what_it_holds()
    {
        var layout = Layout(1);
        var end = layout.Files[0].Size;
        using (var writer = OutputWriter.Create(_folder["out"], layout))
            writer.Write(0, end - 8, [1, 2, 3, 4]);
        using (var writer = OutputWriter.Resume(_folder["out"], layout))
            writer.Write(0, end - 4, [5, 6, 7, 8]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], File.ReadAllBytes(_folder["out/model.safetensors"])[^8..]);
    }

    [Fact]
    public void An_interrupted_output_of_another_layout_is_not_resumed()
    {
        OutputWriter.Create(_folder["out"], Layout(1)).Dispose();
        var other = SafetensorsLayout.Of([new("t1", DType.F32, [2])], 8, Metadata);
        var problem = Assert.Throws<MergeException>(() => OutputWriter.Resume(_folder["out"], other));
        Assert.Contains("other inputs or another recipe", problem.Message);
    }

    [Fact]
    public void A_full_disk_says_what_is_needed_and_free()
    {
        // The kernel's own device that is always full stands in for the output file.
        Directory.CreateDirectory(_folder["out"]);
        File.CreateSymbolicLink(_folder["out/model.safetensors"], "/dev/full");
        var layout = Layout(1);
        var problem = Assert.Throws<MergeException>(() => OutputWriter.Create(_folder["out"], layout));
        Assert.Contains($"the disk is full: the output needs {layout.Size} bytes, ", problem.Message);
        Assert.Contains("are free now", problem.Message);
    }

    [Fact]
    public void Disk_space_is_checked_for_folders_that_do_not_exist_yet()
    {
        DiskSpace.Check(_folder["not/yet"], 1);
        var problem = Assert.Throws<MergeException>(() => DiskSpace.Check(_folder["not/yet"], long.MaxValue));
        Assert.Contains("the output needs 9.22 EB, ", problem.Message);
        Assert.False(Directory.Exists(_folder["not"]));
    }

    [Fact]
    public void A_target_below_a_file_is_refused()
    {
        var file = _folder.WriteText("file", "");
        var problem = Assert.Throws<MergeException>(() => OutputWriter.Create(Path.Combine(file, "out"), Layout(1)));
        Assert.Contains("cannot be written", problem.Message);
        Assert.Contains(file, problem.Diagnostics[0].Where!);
    }

    [Fact]
    public void A_read_only_target_is_refused()
    {
        // Permissions do not bind root: /proc takes no new folders from anybody.
        var problem = Assert.Throws<MergeException>(() => OutputWriter.Create("/proc/merge-output", Layout(1)));
        Assert.Contains("/proc/merge-output: cannot be written", problem.Message);
    }

    private static SafetensorsLayout Layout(int shards) => SafetensorsLayout.Of(
        Enumerable.Range(0, shards).Select(i => new OutputTensor($"t{i}", DType.F32, [2])), 8, Metadata);
}

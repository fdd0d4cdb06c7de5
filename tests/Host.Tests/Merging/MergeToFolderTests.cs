using System.Text.Json;
using Host.Tests.Compute.Gpu;
using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class MergeToFolderTests : IDisposable
{
    private readonly TestModels _models = new();
    private readonly PlannedModel _model;

    public MergeToFolderTests() => _model = _models.AddWith(
        "a",
        """{"torch_dtype": "float16"}""",
        Of("a", 1, 2, 3),
        Of("b", 4, 5, 6),
        Shaped("c", DType.F32, 60, 70),
        Shaped("d", DType.I32, 3),
        Of("e"),
        Of("f", 7));

    private string Final => _models["out"];

    private string Partial => Final + ".partial";

    public void Dispose() => _models.Dispose();

    [Fact]
    public void A_run_that_was_stopped_is_taken_up_and_gives_the_same_bytes()
    {
        var expected = Uninterrupted();
        Interrupt("c");
        Assert.False(Directory.Exists(Final));
        var progress = Merge(Plan());
        Assert.Equal(2, progress.TensorsResumed);
        Assert.Equal(expected, Files(Final));
        Assert.False(Directory.Exists(Partial));
    }

    [OpenClFact]
    public void A_run_that_was_stopped_goes_on_with_another_device_and_gives_the_same_bytes()
    {
        var expected = Uninterrupted();
        using var device = new GpuDevice(OpenClDevice.All()[0].Open());
        var onDevice = new RunSettings { Threads = 3, Device = device, SmallestOnDevice = 0, BlockBytes = 4096 };
        foreach (var (first, then) in new[] { (Runs.TwoThreads, onDevice), (onDevice, Runs.TwoThreads) })
        {
            Interrupt("c", first with { Threads = 1 });
            Assert.Equal(2, Merge(Plan(), settings: then).TensorsResumed);
            Assert.Equal(expected, Files(Final));
            Directory.Delete(Final, recursive: true);
        }
        Assert.NotEqual(0, device.CompiledCount);
    }

    [Fact]
    public void Bytes_that_are_no_longer_what_was_written_are_made_again()
    {
        var expected = Uninterrupted();
        Interrupt("c");
        Change("model.safetensors", Plan().Layout.Placements["b"].Offset + 5);
        Assert.Equal(1, Merge(Plan()).TensorsResumed);
        Assert.Equal(expected, Files(Final));
    }

    [Theory]
    [InlineData("""{"tensor":"unknown","crc32c":1,"inputs":[]}""")]
    [InlineData("""{"tensor":"f","crc32c":1,"inputs":[1,2,3]}""")]
    [InlineData("""{"tensor":"f","crc""")]
    [InlineData("garbage\n")]
    public void A_damaged_journal_costs_at_most_what_it_recorded(string line)
    {
        var expected = Uninterrupted();
        Interrupt("c");
        File.AppendAllText(Path.Combine(Partial, "journal.jsonl"), line + (line.EndsWith("crc") ? "" : "\n"));
        Merge(Plan());
        Assert.Equal(expected, Files(Final));
    }

    [Fact]
    public void What_another_recipe_left_is_not_taken_up()
    {
        Interrupt("c");
        File.WriteAllText(Path.Combine(Partial, "stray"), "");
        var other = Plan();
        other = other with { Origin = other.Origin with { Text = "other" } };
        Assert.True(Assert.Throws<MergeException>(() => Merge(other)).WrongUsage);
        Assert.True(File.Exists(Path.Combine(Partial, "stray")));
        Assert.Equal(0, Merge(other, force: true).TensorsResumed);
        Assert.False(File.Exists(Path.Combine(Final, "stray")));
    }

    [Fact]
    public void What_was_made_of_other_inputs_is_told_apart_through_links_too()
    {
        var plan = Plan();
        var target = plan.InputFiles[0].File.Path;
        var link = _models["link"];
        File.CreateSymbolicLink(link, target);
        var before = Fingerprint.Of(plan with { InputFiles = [("a", CheckpointFile.Open(link))] });
        Assert.Equal(before, Fingerprint.Of(plan with { InputFiles = [("a", CheckpointFile.Open(link))] }));
        File.SetLastWriteTimeUtc(target, DateTime.UnixEpoch);
        Assert.NotEqual(before, Fingerprint.Of(plan with { InputFiles = [("a", CheckpointFile.Open(link))] }));
    }

    [Fact]
    public void A_plugins_fault_leaves_nothing()
    {
        var problem = Assert.Throws<MergeException>(() => Merge(Plan(() => throw new InvalidCastException("oh"), "c")));
        Assert.Contains("oh", Assert.Single(problem.Diagnostics).Found);
        Assert.Equal([_models["a"]], Directory.GetFileSystemEntries(_models.Root));
    }

    [Fact]
    public void Two_merges_cannot_write_one_output_at_once()
    {
        using var held = PartialFolder.Open(Final, Plan(), new Checksums(), new(new ManagedLinearAlgebra()));
        var problem = Assert.Single(Assert.Throws<MergeException>(() => Merge(Plan())).Diagnostics);
        Assert.Equal(Partial, problem.Where);
        Assert.Contains("Another merge may be writing this output", problem.Fix);
    }

    [Fact]
    public void Forced_an_earlier_merge_is_replaced_and_a_folder_of_the_name_needed_meanwhile_is_left_alone()
    {
        Merge(Plan());
        File.WriteAllText(Path.Combine(Final, "stray"), "");
        Directory.CreateDirectory(Final + ".replaced");
        File.WriteAllText(Path.Combine(Final + ".replaced", "older"), "");
        Merge(Plan(), force: true);
        Assert.False(File.Exists(Path.Combine(Final, "stray")));
        Assert.Equal(
            [_models["a"], Final, Final + ".replaced"], Directory.GetFileSystemEntries(_models.Root).Order());
        Assert.True(File.Exists(Path.Combine(Final + ".replaced", "older")));
    }

    [Fact]
    public void A_folder_of_the_unfinished_outputs_name_that_no_merge_made_is_left_alone()
    {
        Directory.CreateDirectory(Final + ".partial");
        var mine = Path.Combine(Final + ".partial", "thesis.txt");
        File.WriteAllText(mine, "");
        var refused = Assert.Throws<MergeException>(() => Merge(Plan(), force: true));
        Assert.True(refused.WrongUsage);
        Assert.True(File.Exists(mine));
    }

    [Fact]
    public void An_output_that_appears_while_the_merge_runs_is_left_alone()
    {
        using var folder = PartialFolder.Open(Final, Plan(), new Checksums(), new(new ManagedLinearAlgebra()));
        Directory.CreateDirectory(Final);
        var mine = Path.Combine(Final, "thesis.txt");
        File.WriteAllText(mine, "");
        Assert.Throws<MergeException>(() => folder.Complete(Final, force: false));
        Assert.True(File.Exists(mine));
    }

    [Fact]
    public void What_is_merged_is_kept_where_an_output_stands_in_its_way()
    {
        var mine = Path.Combine(Final, "thesis.txt");
        Assert.Throws<MergeException>(() => Merge(Plan(
            () =>
            {
                Directory.CreateDirectory(Final);
                File.WriteAllText(mine, "");
            },
            "c")));
        Assert.True(File.Exists(mine));
        Directory.Delete(Final, recursive: true);
        var plan = Plan();
        Assert.Equal(plan.Tensors.Count, Merge(plan).TensorsResumed);
    }

    [Fact]
    public void An_input_written_to_while_it_is_merged_is_noticed()
    {
        var plan = Plan();
        var file = plan.InputFiles[0].File;
        File.SetLastWriteTimeUtc(file.Path, file.LastWrite.AddSeconds(1));
        var refused = Assert.Throws<MergeException>(() => Merge(plan));
        Assert.Contains("written to while it was merged", refused.Message);
        Assert.False(refused.WrongUsage);
        Assert.False(Directory.Exists(Final));
        Assert.False(Directory.Exists(Partial));
    }

    [Fact]
    public void The_manifest_is_the_same_wherever_and_however_often_the_merge_is_run()
    {
        Merge(Plan());
        var first = File.ReadAllText(Path.Combine(Final, Manifest.FileName));
        Directory.Delete(Final, recursive: true);
        var settings = new RunSettings { Threads = 5, BlockBytes = 64 };
        MergeToFolder.Run(Plan(), _models["elsewhere"], false, false, settings, new(), default);
        Assert.Equal(first, File.ReadAllText(Path.Combine(_models["elsewhere"], Manifest.FileName)));
        Assert.DoesNotContain(_models.Root, first);
    }

    [Fact]
    public void Every_file_of_the_output_has_the_checksum_the_manifest_gives()
    {
        var plan = Plan();
        Merge(plan);
        var manifest = JsonElement.Parse(File.ReadAllText(Path.Combine(Final, Manifest.FileName)));
        foreach (var output in manifest.GetProperty("outputs").EnumerateArray())
        {
            var bytes = File.ReadAllBytes(Path.Combine(Final, output.GetProperty("file").GetString()!));
            Assert.Equal(bytes.Length, output.GetProperty("bytes").GetInt32());
            Assert.Equal(Crc32C.Append(0, bytes).ToString("x8"), output.GetProperty("crc32c").GetString());
        }
        Assert.Equal("d", Assert.Single(manifest.GetProperty("copied").EnumerateArray()).GetString());
    }

    private MergePlan Plan(Action? at = null, string? tensor = null) => Runs.Plan(
        new OneLine(t =>
        {
            if (t.Info.Name == tensor)
                at!();
            return TensorMerge.From(x => x.Models[0] * 2f);
        }),
        null,
        _model);

    private SortedDictionary<string, byte[]> Uninterrupted()
    {
        Merge(Plan());
        var files = Files(Final);
        Directory.Delete(Final, recursive: true);
        return files;
    }

    private void Interrupt(string tensor, RunSettings? settings = null)
    {
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => MergeToFolder.Run(
            Plan(stop.Cancel, tensor), Final, false, false, settings ?? new RunSettings { Threads = 1 }, new(), stop.Token));
    }

    private RunProgress Merge(MergePlan plan, bool force = false, RunSettings? settings = null)
    {
        var progress = new RunProgress();
        MergeToFolder.Run(plan, Final, force, false, settings ?? Runs.TwoThreads, progress, default);
        return progress;
    }

    private void Change(string file, long at)
    {
        using var stream = File.OpenWrite(Path.Combine(Partial, file));
        stream.Position = at;
        stream.WriteByte(0xA5);
    }

    private static SortedDictionary<string, byte[]> Files(string folder) => new(
        Directory.GetFiles(folder).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes), StringComparer.Ordinal);
}

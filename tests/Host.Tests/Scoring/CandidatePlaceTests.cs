using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Scoring;

public sealed class CandidatePlaceTests
{
    [Fact]
    public void A_folder_is_the_model_a_merge_would_write_and_goes_with_its_candidate()
    {
        using var lab = new Lab();
        using var place = lab.Place();
        var candidate = lab.Make(place);
        using (var checkpoint = Checkpoint.Open(candidate.Folder!))
        {
            Assert.Equal(["b", "w"], checkpoint.Tensors.Keys.Order());
            Assert.Equal([1, 2, 3], Lab.Read(new CheckpointCandidate("x", checkpoint, null), "w"));
        }
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"],
            Directory.GetFiles(candidate.Folder!).Select(f => Path.GetFileName(f)).Order());
        Assert.Equal([4, 5, 6, 7], Lab.Read(candidate, "b"));
        candidate.Dispose();
        Assert.False(Directory.Exists(candidate.Folder));
        place.Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(lab.Folder, "candidates")));
    }

    [Fact]
    public void In_memory_every_stored_type_is_read_as_numbers()
    {
        using var lab = new Lab(
            new("f64", DType.F64, [1], BitConverter.GetBytes(-0.5)), new("f16", DType.F16, [1], BitConverter.GetBytes((Half)1.5)),
            new("bf16", DType.BF16, [1], [0xC0, 0x3F]), new("i64", DType.I64, [1], BitConverter.GetBytes(-7L)),
            new("u8", DType.U8, [2], [3, 255]), new("bool", DType.Bool, [1], [1]), Of("f32", 2.5f));
        using var candidate = lab.Make(lab.Place(needsFolder: false, new()));
        Assert.Null(candidate.Folder);
        Assert.Equal([-0.5f, 1.5f, 1.5f, -7, 3, 255, 1, 2.5f],
            new[] { "f64", "f16", "bf16", "i64", "u8", "bool", "f32" }.SelectMany(t => Lab.Read(candidate, t)));
        Assert.Contains("Did you mean 'f64'?", Assert.Throws<MergeException>(() => candidate.Read("f61", new float[1])).Message);
        Assert.Contains("has 2 elements, and 1 are asked for",
            Assert.Throws<MergeException>(() => candidate.Read("u8", new float[1])).Message);
    }

    [Fact]
    public void A_candidate_lives_until_the_last_that_reads_it_lets_go()
    {
        using var lab = new Lab();
        var candidate = lab.Make(lab.Place());
        candidate.Hold();
        candidate.Dispose();
        candidate.Dispose();
        Assert.True(Directory.Exists(candidate.Folder));
        candidate.Release();
        Assert.False(Directory.Exists(candidate.Folder));
    }

    [Theory]
    [InlineData(1L << 30, 1L << 30, true)]
    [InlineData(2000, 1L << 30, false)]
    [InlineData(2000, 100, true)]
    public void Memory_is_taken_where_a_generation_fits_else_disk(long memory, long disk, bool inMemory)
    {
        using var lab = new Lab { Media = new Lab.Machine(memory, disk) };
        using var candidate = lab.Make(lab.Place(recipe: new(), wanted: 32));
        Assert.Equal(inMemory, candidate.Folder!.StartsWith("/dev/shm/", StringComparison.Ordinal));
    }

    [Fact]
    public void Room_and_quota_say_how_many_fit()
    {
        using var lab = new Lab { Media = new Lab.Machine(0, 1 << 20) };
        var place = lab.Place();
        Assert.Equal((1 << 20) * 3 / 4 / place.CandidateBytes, place.Fits);
        Assert.Equal(2, lab.Place(recipe: new(CandidatesIn.Disk, null, place.CandidateBytes * 5 / 2)).Fits);
        var error = Assert.Throws<MergeException>(() => lab.Place(recipe: new(CandidatesIn.Disk, null, 10, 6)));
        Assert.Equal($"{lab["r.yaml"]}, line 6: a candidate takes {place.CandidateBytes} bytes, more than the quota of 10 bytes. "
            + "Raise 'candidates: {quota: …}'.", error.Message);
        var small = Assert.Throws<MergeException>(() => lab.Place(recipe: new(CandidatesIn.Memory)));
        Assert.Contains("shared memory (/dev/shm) has 0 bytes free", small.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_search_left_is_removed_at_the_next_start_and_nothing_else()
    {
        using var lab = new Lab();
        var root = Path.Combine(lab.Folder, "candidates");
        var living = lab.Make(lab.Place());
        string Folder(string name, bool locked)
        {
            var folder = Path.Combine(root, name);
            Directory.CreateDirectory(Path.Combine(folder, "1"));
            if (locked)
                File.WriteAllText(Path.Combine(folder, ".lock"), "");
            return folder;
        }
        var left = Folder($"merge-candidates.{Environment.MachineName}.999999999.0", locked: true);
        string[] others =
        [
            Folder($"merge-candidates.{Environment.MachineName}.999999999.1", locked: false),
            Folder("merge-candidates.another-machine.1.0", locked: true), Folder("mine", locked: true), living.Folder!,
        ];
        lab.Place();
        Assert.False(Directory.Exists(left));
        Assert.All(others, folder => Assert.True(Directory.Exists(folder), folder));
    }

    [Fact]
    public void A_write_outside_its_tensor_is_refused()
    {
        using var lab = new Lab();
        using var candidate = lab.Make(lab.Place(needsFolder: false, new()));
        Assert.Throws<ArgumentOutOfRangeException>(() => candidate.Sink!.Write("w", 8, new byte[8]));
    }
}

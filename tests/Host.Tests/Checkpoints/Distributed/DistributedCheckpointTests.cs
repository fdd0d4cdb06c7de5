using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.Distributed;

/// <summary>Folders that PyTorch Distributed Checkpoint wrote.</summary>
public sealed class DistributedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_divided_by_rows_columns_and_in_a_grid_are_whole()
    {
        using var expected = Checkpoint.Open(DistributedFixture.Path("dcp_expected.pt"));
        using var checkpoint = Checkpoint.Open(DistributedFixture.Path("dcp"));
        Assert.Equal(["columns.weight", "grid.weight", "plain.bias", "rows.weight", "scalar"], checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.Tensors, n => $"model.{n}");
        Assert.Equal(["columns.weight.exp_avg_sq", "rows.weight.exp_avg_sq"], checkpoint.State.Keys.Order(StringComparer.Ordinal));
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.State, n => $"optim.state.{n}");
        Assert.Contains(checkpoint.Notes, n => n.Contains("'model.'"));
        Assert.Contains(checkpoint.Notes, n => n.Contains("'optim.param_groups'"));
    }

    [Fact]
    public void Names_that_begin_with_model_stay_where_nothing_says_that_it_wraps_them()
    {
        using var expected = Checkpoint.Open(DistributedFixture.Path("dcp_expected.pt"));
        using var checkpoint = Checkpoint.Open(DistributedFixture.Path("dcp_one"));
        Assert.Equal(5, checkpoint.Tensors.Count);
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.Tensors);
    }

    [Fact]
    public void Names_of_PyTorch_2_are_unwrapped_as_its_metadata_says()
    {
        using var expected = Checkpoint.Open(DistributedFixture.Path("dcp_expected.pt"));
        using var checkpoint = Checkpoint.Open(DistributedFixture.Path("dcp_2"));
        Assert.Contains("model.rows.weight", checkpoint.Tensors.Keys);
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.Tensors);
        Assert.Contains(checkpoint.Notes, n => n.Contains("'app.model.'"));
    }

    [Fact]
    public void A_missing_file_is_named_with_its_rank_and_a_tensor_in_it()
    {
        File.Delete(Path.Combine(Copy(), "__1_0.distcp"));
        Refused("__1_0.distcp", "rank 1", "'model.rows.weight'");
    }

    [Fact]
    public void A_file_that_is_cut_off_is_named_with_its_rank_and_every_chunk_behind_its_end()
    {
        using (var file = File.OpenWrite(Path.Combine(Copy(), "__1_0.distcp")))
            file.SetLength(1000);
        Refused("__1_0.distcp", "rank 1", "has 1000 bytes", "'model.columns.weight'", "'optim.state.columns.weight.exp_avg_sq'");
    }

    [Fact]
    public void Folders_without_metadata_say_that_it_is_written_last()
    {
        File.Delete(Path.Combine(Copy(), ".metadata"));
        Refused(".metadata", "written last");
    }

    [Fact]
    public void A_missing_chunk_is_told_with_its_tensor()
    {
        // 5 rows of the weight become 6: BININT1 of the sizes that only its whole size has.
        Metadata("K\u0005K\u0003\u0086", "K\u0006K\u0003\u0086");
        Refused("'model.rows.weight'", "18 elements", "15: one is missing");
    }

    [Fact]
    public void Overlapping_chunks_are_told_with_both()
    {
        // The second box of rows, at [3, 0], moves to [2, 0].
        Metadata("K\u0003K\0\u0086", "K\u0002K\0\u0086");
        Refused("'model.rows.weight'", "overlap", "[0, 0]", "[2, 0]");
    }

    [Fact]
    public void A_chunk_past_its_tensor_is_told()
    {
        Metadata("K\u0005K\u0003\u0086", "K\u0004K\u0003\u0086");
        Refused("'model.rows.weight'", "[4, 3]", "reaches past it");
    }

    [Fact]
    public void A_file_that_leads_outside_the_folder_is_refused()
    {
        Metadata("__1_0.distcp", "../../1.dist");
        Refused("'../../1.dist'", "inside the folder");
    }

    [Fact]
    public void A_file_of_another_save_is_found_by_its_chunks()
    {
        var copy = Copy();
        File.Copy(Path.Combine(copy, "__0_0.distcp"), Path.Combine(copy, "__1_0.distcp"), overwrite: true);
        Refused("__1_0.distcp", "'model.rows.weight'");
    }

    [Fact]
    public void Files_that_the_metadata_does_not_name_are_noted()
    {
        File.WriteAllBytes(Path.Combine(Copy(), "__7_0.distcp"), []);
        using var checkpoint = Checkpoint.Open(_folder["copy"]);
        Assert.Contains(checkpoint.Notes, n => n.Contains("'__7_0.distcp'"));
    }

    [Theory]
    [InlineData("Metadata", "Metadatb")]
    [InlineData("getattr", "setattr")]
    [InlineData("MEM_FORMAT_ENCODING", "TensorProperties___")]
    public void Metadata_that_names_anything_else_is_refused(string name, string other)
    {
        Metadata(name, other);
        Refused(".metadata", name == "MEM_FORMAT_ENCODING" ? "TensorProperties" : other);
    }

    [Fact]
    public void Metadata_cut_off_anywhere_is_refused()
    {
        var path = Path.Combine(Copy(), ".metadata");
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length < whole.Length; length += 13)
        {
            File.WriteAllBytes(path, whole[..length]);
            Refused(".metadata");
        }
    }

    private string Copy() => DistributedFixture.Copy(_folder, "dcp");

    private void Metadata(string old, string other) => DistributedFixture.Replace(
        Path.Combine(Copy(), ".metadata"), System.Text.Encoding.Latin1.GetBytes(old), System.Text.Encoding.Latin1.GetBytes(other));

    private void Refused(params string[] words)
    {
        var problem = TemporaryFolder.Refused(_folder["copy"]);
        Assert.All(words, w => Assert.Contains(w, problem.Message));
    }
}

using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.Distributed;

/// <summary>DeepSpeed's universal checkpoints.</summary>
public sealed class UniversalCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("universal")]
    [InlineData("universal/global_step7_universal")]
    [InlineData("universal/flat")]
    public void Weights_moments_buffers_frozen_and_shared_parameters_are_whole(string name)
    {
        using var expected = Checkpoint.Open(DistributedFixture.Path("deepspeed_expected.pt"));
        using var checkpoint = Checkpoint.Open(DistributedFixture.Path(name));
        Assert.Equal(7, checkpoint.Tensors.Count);
        Assert.Equal("embed.weight", checkpoint.Tensors.Keys.First());
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.Tensors);
        Assert.Equal(10, checkpoint.State.Count);
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.State);
        Assert.Contains(checkpoint.Notes, n => n.Contains("universal"));
    }

    [Fact]
    public void Without_model_states_the_parameters_folders_alone_are_read()
    {
        var copy = Copy("universal/global_step7_universal");
        File.Delete(Path.Combine(copy, "mp_rank_00_model_states.pt"));
        using var checkpoint = Checkpoint.Open(copy);
        Assert.Equal(["embed.weight", "layer.bias", "layer.weight", "norm.weight"], checkpoint.Tensors.Keys);
    }

    [Fact]
    public void A_missing_weight_is_named()
    {
        File.Delete(Path.Combine(Copy("universal/flat"), "zero", "layer.bias", "fp32.pt"));
        Refused(Path.Combine("layer.bias", "fp32.pt"), "missing");
    }

    [Fact]
    public void A_missing_parameter_is_named_with_the_file_that_has_it()
    {
        Directory.Delete(Path.Combine(Copy("universal/global_step7_universal"), "zero", "layer.bias"), recursive: true);
        Refused("'layer.bias'", "mp_rank_00_model_states.pt has it");
    }

    [Fact]
    public void A_missing_moment_leaves_the_weights_and_says_why_there_is_no_state()
    {
        var copy = Copy("universal/flat");
        File.Delete(Path.Combine(copy, "zero", "layer.bias", "exp_avg_sq.pt"));
        using var checkpoint = Checkpoint.Open(copy);
        Assert.Equal(7, checkpoint.Tensors.Count);
        Assert.Empty(checkpoint.State);
        Assert.Contains(Path.Combine("layer.bias", "exp_avg_sq.pt"), $"{checkpoint.StateProblem}");
    }

    [Theory]
    [InlineData("fp32.pt")]
    [InlineData("exp_avg_sq.pt")]
    public void A_tensor_of_another_size_is_told_with_both(string name)
    {
        var zero = Path.Combine(Copy("universal/flat"), "zero");
        File.Copy(Path.Combine(zero, "embed.weight", name), Path.Combine(zero, "layer.bias", name), overwrite: true);
        Refused(Path.Combine("layer.bias", name), "[15]", "[3]");
    }

    [Fact]
    public void A_file_that_is_cut_off_is_named()
    {
        using (var file = File.OpenWrite(Path.Combine(Copy("universal/flat"), "zero", "layer.bias", "fp32.pt")))
            file.SetLength(300);
        Refused(Path.Combine("layer.bias", "fp32.pt"), "cut off");
    }

    [Fact]
    public void A_file_without_a_tensor_is_named()
    {
        var copy = Copy("universal/flat");
        File.Copy(Path.Combine(copy, "zero", "optimizer_state.pt"), Path.Combine(copy, "zero", "layer.bias", "fp32.pt"), overwrite: true);
        Refused(Path.Combine("layer.bias", "fp32.pt"), "holds no tensor");
    }

    [Theory]
    [InlineData("global_step9_universal", "'global_step9_universal'")]
    [InlineData("..", "'..'")]
    [InlineData("../flat", "'../flat'")]
    [InlineData("", "''")]
    public void A_pointer_that_leads_nowhere_is_told(string step, string shown)
    {
        File.WriteAllText(Path.Combine(Copy("universal"), "latest_universal"), step);
        Refused("latest_universal", shown, "no such folder beside it");
    }

    [Fact]
    public void An_empty_folder_of_parameters_is_told()
    {
        Directory.CreateDirectory(Path.Combine(_folder["copy"], "zero"));
        Refused("holds no parameters");
    }

    private string Copy(string name) => DistributedFixture.Copy(_folder, name);

    private void Refused(params string[] words)
    {
        var problem = TemporaryFolder.Refused(_folder["copy"]);
        Assert.All(words, w => Assert.Contains(w, problem.Message));
    }
}

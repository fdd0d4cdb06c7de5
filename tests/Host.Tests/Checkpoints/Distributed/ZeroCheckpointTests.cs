using Host.Tests.Checkpoints.PyTorch;
using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.Distributed;

/// <summary>DeepSpeed's ZeRO shards.</summary>
public sealed class ZeroCheckpointTests : IDisposable
{
    private const string Stage2 = "zero2/global_step7";
    private const string Stage3 = "zero3";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("zero2", 2)]
    [InlineData(Stage2, 2)]
    [InlineData(Stage3, 3)]
    public void Weights_moments_buffers_frozen_and_shared_parameters_are_whole(string name, int stage)
    {
        using var expected = Checkpoint.Open(DistributedFixture.Path("deepspeed_expected.pt"));
        using var checkpoint = Checkpoint.Open(DistributedFixture.Path(name));
        Assert.Equal(7, checkpoint.Tensors.Count);
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.Tensors);
        Assert.Equal(10, checkpoint.State.Count);
        DistributedFixture.AssertSame(expected.Tensors, checkpoint.State);
        Assert.Contains(checkpoint.Notes, n => n.Contains($"stage {stage}"));
    }

    [Theory]
    [InlineData(Stage2, "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "rank 0 is missing", "2 ranks")]
    [InlineData(Stage2, "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt", "rank 1 is missing", "2 ranks")]
    [InlineData(Stage2, "mp_rank_00_model_states.pt", "model states are missing", "")]
    [InlineData(Stage3, "zero_pp_rank_2_mp_rank_00_optim_states.pt", "rank 2 is missing", "3 ranks")]
    [InlineData(Stage3, "zero_pp_rank_1_mp_rank_00_model_states.pt", "model states of rank 1 are missing", "")]
    public void A_missing_file_is_named_with_its_rank(string name, string file, string found, string also)
    {
        File.Delete(Path.Combine(Copy(name), file));
        Refused(file, found, also);
    }

    [Fact]
    public void Model_states_alone_of_stage_3_say_what_is_missing()
    {
        Directory.GetFiles(Copy(Stage3), "*_optim_states.pt").ToList().ForEach(File.Delete);
        Refused("shards are missing", "optim_states.pt");
    }

    [Fact]
    public void A_shard_of_an_earlier_save_on_more_ranks_is_told()
    {
        var copy = Copy(Stage3);
        File.Copy(Path.Combine(copy, "zero_pp_rank_2_mp_rank_00_optim_states.pt"), Path.Combine(copy, "zero_pp_rank_3_mp_rank_00_optim_states.pt"));
        Refused("zero_pp_rank_3", "rank 3", "3 ranks");
    }

    [Fact]
    public void A_shard_of_another_step_is_told_with_its_rank_and_both_steps()
    {
        // "step": 7 of the states, BININT1.
        Change(Stage3, "zero_pp_rank_1_mp_rank_00_optim_states.pt", "stepq", "K\u0007", "K\u0008");
        Refused("zero_pp_rank_1_mp_rank_00_optim_states.pt", "rank 1 is of step 8", "step 7");
    }

    [Fact]
    public void Model_states_of_another_step_are_told()
    {
        Change(Stage3, "zero_pp_rank_2_mp_rank_00_model_states.pt", "global_steps", "K\u0007", "K\u0006");
        Refused("zero_pp_rank_2_mp_rank_00_model_states.pt", "step 6", "step 7");
    }

    [Fact]
    public void Shards_of_another_model_are_told_by_their_sizes()
    {
        // The shape of norm.weight: 4 becomes 99.
        Change(Stage2, "mp_rank_00_model_states.pt", "norm.weight", "K\u0004\u0085", "K\u0063\u0085", before: "shared_params");
        Refused("group 1 has 7 elements on 2 ranks", "102", "'norm.weight'");
    }

    [Fact]
    public void Divided_parameters_of_another_model_are_told_by_their_sizes()
    {
        Change(Stage3, "zero_pp_rank_0_mp_rank_00_model_states.pt", "norm.weight", "K\u0004\u0085", "K\u0063\u0085", before: "shared_params");
        Refused("rank 0 has 11 elements", "42", "'embed.weight'", "zero_pp_rank_2");
    }

    [Fact]
    public void A_shard_that_is_cut_off_is_named()
    {
        using (var file = File.OpenWrite(Path.Combine(Copy(Stage2), "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt")))
            file.SetLength(1000);
        Refused("bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt", "cut off");
    }

    [Theory]
    [InlineData("zero_pp_rank_0_mp_rank_01_optim_states.pt", "rank 1")]
    [InlineData("mp_rank_03_model_states.pt", "rank 3")]
    public void Tensor_parallel_shards_are_refused_by_name(string name, string rank)
    {
        File.WriteAllBytes(Path.Combine(Copy(Stage2), name), []);
        Refused($"'{name}'", rank, "ds_to_universal.py");
    }

    [Fact]
    public void Experts_saved_apart_are_refused_by_name()
    {
        File.WriteAllBytes(Path.Combine(Copy(Stage2), "layer_0_expert_1_mp_rank_00_model_states.pt"), []);
        Refused("layer_0_expert_1_mp_rank_00_model_states.pt", "experts");
    }

    [Fact]
    public void A_shard_without_float32_parts_is_told_with_its_rank()
    {
        var copy = Copy(Stage3);
        File.Copy(
            Path.Combine(copy, "zero_pp_rank_1_mp_rank_00_model_states.pt"), Path.Combine(copy, "zero_pp_rank_1_mp_rank_00_optim_states.pt"), overwrite: true);
        Refused("rank 1 holds no float32 parts", "fp32_flat_groups");
    }

    [Fact]
    public void A_missing_moment_leaves_the_weights_and_says_why_there_is_no_state()
    {
        var copy = Change(Stage2, "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt", "base_optimizer_state", "exp_avg_sq", "exp_avg_xx");
        using var checkpoint = Checkpoint.Open(copy);
        Assert.Equal(7, checkpoint.Tensors.Count);
        Assert.DoesNotContain(checkpoint.State.Keys, k => k.EndsWith("exp_avg_sq", StringComparison.Ordinal));
        Assert.Contains("rank 1 has no exp_avg_sq of group 0", $"{checkpoint.StateProblem}");
    }

    [Fact]
    public void Two_shards_of_a_rank_are_told()
    {
        var copy = Copy(Stage2);
        File.Copy(Path.Combine(copy, "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"), Path.Combine(copy, "zero_pp_rank_1_mp_rank_00_optim_states.pt"));
        Refused("rank 1 has two shards");
    }

    [Fact]
    public void Weights_of_another_kind_in_the_folder_come_first()
    {
        var copy = Copy("zero2");
        File.Move(_folder.Write("model.safetensors", "a", "b"), Path.Combine(copy, "model.safetensors"));
        using var checkpoint = Checkpoint.Open(copy);
        Assert.Equal(["a", "b"], checkpoint.Tensors.Keys);
    }

    private string Copy(string name) => DistributedFixture.Copy(_folder, name);

    /// <summary>Copies a folder and replaces bytes of one of its files, the first such behind a word, or the last before another.</summary>
    private string Change(string name, string file, string word, string old, string other, string? before = null)
    {
        var copy = Copy(name);
        var path = Path.Combine(copy, file);
        var bytes = PyTorchMutationTests.Unchecked(File.ReadAllBytes(path));
        static byte[] Bytes(string text) => System.Text.Encoding.Latin1.GetBytes(text);
        var from = bytes.AsSpan().IndexOf(Bytes(word));
        Assert.True(from >= 0);
        var at = before is null
            ? bytes.AsSpan(from).IndexOf(Bytes(old))
            : bytes.AsSpan(from, bytes.AsSpan(from).IndexOf(Bytes(before))).LastIndexOf(Bytes(old));
        Assert.True(at >= 0);
        Bytes(other).CopyTo(bytes.AsSpan(from + at));
        File.WriteAllBytes(path, bytes);
        return copy;
    }

    private void Refused(params string[] words)
    {
        var problem = TemporaryFolder.Refused(_folder["copy"]);
        Assert.All(words, w => Assert.Contains(w, problem.Message));
    }
}

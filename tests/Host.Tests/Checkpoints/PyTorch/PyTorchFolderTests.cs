using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>PyTorch files that stand with others, or hold several state dicts.</summary>
public sealed class PyTorchFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_and_their_index_are_one_checkpoint()
    {
        Shard("pytorch_model-00001-of-00002.bin", "b", "a");
        Shard("pytorch_model-00002-of-00002.bin", "c");
        Index("a 1", "b 1", "c 2");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(["b", "a", "c"], checkpoint.Tensors.Keys);
        Assert.Equal<byte>([0, 0, 128, 63, 0, 0, 0, 64], PyTorchFixture.Bytes(checkpoint.Tensors["c"]));
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        Shard("pytorch_model-00001-of-00002.bin", "a");
        Index("a 1", "c 2");
        Refuses("pytorch_model-00002-of-00002.bin: the shard is missing, but pytorch_model.bin.index.json names it");
    }

    [Fact]
    public void A_tensor_of_the_index_in_no_shard_and_one_of_a_shard_in_no_index_are_both_named()
    {
        Shard("pytorch_model-00001-of-00002.bin", "a", "x");
        Shard("pytorch_model-00002-of-00002.bin", "c");
        Index("a 1", "b 1", "c 2");
        Refuses("tensor 'b' is not in its shard 'pytorch_model-00001-of-00002.bin'", "tensor 'x' is in this shard, but not in the index");
    }

    [Fact]
    public void Names_in_shards_keep_a_prefix_that_all_have()
    {
        Shard("pytorch_model-00001-of-00002.bin", "module.a");
        Shard("pytorch_model-00002-of-00002.bin", "b");
        Index("module.a 1", "b 2");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(["module.a", "b"], checkpoint.Tensors.Keys);
    }

    [Fact]
    public void A_key_behind_the_file_says_which_of_several_state_dicts_is_meant()
    {
        using var model = Checkpoint.Open(PyTorchFixture.Path("with_average.pt#model"));
        using var average = Checkpoint.Open(PyTorchFixture.Path("with_average.pt#ema"));
        var (once, twice) = (Bytes(model), Bytes(average));
        Assert.Equal(once.Select(v => 2 * v), twice);
        Assert.Contains(average.Notes, n => n.Contains("['ema']"));

        static float[] Bytes(Checkpoint checkpoint) =>
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(PyTorchFixture.Bytes(checkpoint.Tensors["1.weight"])).ToArray();
    }

    [Fact]
    public void Without_a_key_the_keys_are_listed_with_how_to_go_on()
    {
        var message = TemporaryFolder.Refused(PyTorchFixture.Path("with_average.pt")).Message;
        Assert.Contains("'model', 'ema'", message);
        Assert.Contains("with_average.pt#ema", message);
    }

    [Theory]
    [InlineData("with_average.pt#emma", "Did you mean 'ema'?")]
    [InlineData("views.pt#ema", "Leave it out")]
    [InlineData("optimizer_named.pt#ema", "Leave it out")]
    [InlineData("nowhere.pt#ema", "nowhere.pt: there is no such file or folder")]
    public void A_key_that_is_not_there_is_refused(string name, string words) =>
        Assert.Contains(words, TemporaryFolder.Refused(PyTorchFixture.Path(name)).Message);

    [Fact]
    public void A_key_behind_safetensors_is_refused()
    {
        _folder.Write("model.safetensors", "w");
        Assert.Contains("'#ema' stands behind what is no PyTorch file", TemporaryFolder.Refused(_folder["model.safetensors#ema"]).Message);
    }

    [Fact]
    public void A_name_that_holds_the_sign_is_a_name()
    {
        File.Copy(PyTorchFixture.Path("views.pt"), _folder["views#1.pt"]);
        using var checkpoint = Checkpoint.Open(_folder["views#1.pt"]);
        Assert.Equal(11, checkpoint.Tensors.Count);
    }

    private void Shard(string name, params string[] tensors) => _folder.Write(name, ZipBuilder.Of(false, ZipBuilder.StateDict(tensors)));

    private void Index(params string[] places) => _folder.WriteText("pytorch_model.bin.index.json", "{\"weight_map\":{"
        + string.Join(',', places.Select(p => p.Split(' ')).Select(p => $"\"{p[0]}\":\"pytorch_model-0000{p[1]}-of-00002.bin\"")) + "}}");

    private void Refuses(params string[] words)
    {
        var message = TemporaryFolder.Refused(_folder.Path).Message;
        Assert.All(words, w => Assert.Contains(w, message));
    }
}

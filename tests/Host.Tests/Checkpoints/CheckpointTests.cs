using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("adapter_model.safetensors")]
    [InlineData("other.safetensors")]
    public void A_folder_with_one_file_opens(string name)
    {
        var path = _folder.Write(name, "a", "b");
        _folder.WriteText(
            "config.json",
            """{"model_type":"llama","time_step_limit":[0.0,Infinity],"t":"NaN \" Infinity"}""");
        using var checkpoint = Checkpoint.Open(_folder.Path + "/");
        Assert.Equal((_folder.Path, _folder.Path), (checkpoint.Path, checkpoint.Folder));
        Assert.Equal(path, Assert.Single(checkpoint.Files).Path);
        Assert.Equal("llama", (string?)checkpoint.Config!["model_type"]);
        Assert.Equal("NaN \" Infinity", (string?)checkpoint.Config["t"]);
        var tensor = checkpoint.Tensors["b"];
        var bytes = new byte[tensor.Length];
        tensor.File.Read(tensor.Offset, bytes);
        Assert.Equal([4, 5, 6, 7], bytes);
    }

    [Fact]
    public void A_file_opens_by_itself_among_others()
    {
        _folder.Write("x.safetensors", "a");
        var path = _folder.Write("y.safetensors", "b");
        using var checkpoint = Checkpoint.Open(path);
        Assert.Equal(["b"], checkpoint.Tensors.Keys);
        Assert.Null(checkpoint.Folder);
        Assert.Null(checkpoint.Config);
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.safetensors.index.json")]
    public void A_sharded_folder_opens(string path)
    {
        _folder.Write("one.safetensors", """{"__metadata__":{"format":"pt"}}""", 0);
        _folder.Write("two.safetensors", "a", "b");
        _folder.Write("three.safetensors", "c");
        Index("""{"a":"two.safetensors","c":"three.safetensors","b":"two.safetensors"}""");
        using var checkpoint = Checkpoint.Open(_folder[path]);
        Assert.Equal(["a", "b", "c"], checkpoint.Tensors.Keys.Order());
        Assert.Equal(2, checkpoint.Files.Count);
        Assert.Equal(_folder["three.safetensors"], checkpoint.Tensors["c"].File.Path);
        Assert.Equal(_folder.Path, checkpoint.Folder);
    }

    [Fact]
    public void Shards_may_be_links_out_of_the_folder_as_in_the_Hugging_Face_cache()
    {
        using var blobs = new TemporaryFolder();
        File.CreateSymbolicLink(_folder["one.safetensors"], blobs.Write("0a1b", "a"));
        Index("""{"a":"one.safetensors"}""");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(["a"], checkpoint.Tensors.Keys);
    }

    [Theory]
    [InlineData("../one.safetensors")]
    [InlineData("sub/../../one.safetensors")]
    [InlineData("/one.safetensors")]
    [InlineData("..\\\\one.safetensors")]
    [InlineData("C:one.safetensors")]
    [InlineData("one\\u0000.safetensors")]
    [InlineData("")]
    [InlineData("./one.safetensors")]
    public void An_index_that_points_outside_its_folder_is_refused(string shard)
    {
        Index($$"""{"a":"{{shard}}"}""");
        Refuses("a file inside the index's folder", "the shard of tensor 'a'");
    }

    [Fact]
    public void An_index_that_names_missing_shards_is_refused_with_all_of_them()
    {
        File.CreateSymbolicLink(_folder["two.safetensors"], _folder["blob"]);
        Index("""{"a":"one.safetensors","b":"two.safetensors"}""");
        Refuses("one.safetensors: the shard is missing", "two.safetensors: the shard is missing",
            "Finish the download");
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        _folder.Write("one.safetensors", "a", "b");
        _folder.Write("two.safetensors", "b");
        Index("""{"a":"one.safetensors","b":"two.safetensors"}""");
        Refuses("tensor 'b' is in two shards: this one and 'two.safetensors'", "one.safetensors: ");
    }

    [Fact]
    public void A_tensor_with_two_entries_in_the_index_is_refused()
    {
        Index("""{"a":"one.safetensors","a":"two.safetensors"}""");
        Refuses("tensor 'a' is in two shards: 'one.safetensors' and 'two.safetensors'");
    }

    [Fact]
    public void An_index_and_shards_that_disagree_are_refused()
    {
        _folder.Write("one.safetensors", "a", "extra");
        Index("""{"a":"one.safetensors","lost":"one.safetensors"}""");
        Refuses("tensor 'extra' is in this shard, but not in the index", "tensor 'lost' is not in its shard");
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "no weight_map")]
    [InlineData("{}", "no weight_map")]
    [InlineData("{\"weight_map\":[]}", "no weight_map")]
    [InlineData("{\"weight_map\":{\"a\":1}}", "is not a text")]
    [InlineData("{\"weight_map\":{\"a\":\"\\ud800\"}}", "not JSON")]
    public void A_malformed_index_is_refused(string text, string said)
    {
        _folder.WriteText("model.safetensors.index.json", text);
        Refuses(said);
    }

    [Fact]
    public void Problems_of_all_shards_and_the_config_are_reported_together()
    {
        _folder.Write("one.safetensors", "{", 0);
        _folder.Write("two.safetensors", new byte[3]);
        _folder.WriteText("config.json", "{\n\"a\":");
        Index("""{"a":"one.safetensors","b":"two.safetensors"}""");
        Assert.Equal(3, TemporaryFolder.Refused(_folder.Path).Diagnostics.Count);
        Refuses("config.json, line 2: the file is not JSON");
    }

    [Fact]
    public void Several_files_without_an_index_are_refused_with_a_list()
    {
        _folder.Write("y.safetensors", "a");
        _folder.Write("x.safetensors", "a");
        Refuses("2 safetensors files", "x.safetensors, y.safetensors");
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("consolidated.00.pth")]
    public void PyTorch_files_are_refused_with_what_to_do(string name)
    {
        _folder.Write(name, new byte[10]);
        Refuses(name, "not read yet", "safe_serialization=True");
        Assert.Contains("safe_serialization=True", TemporaryFolder.Refused(_folder[name]).Message);
    }

    [Fact]
    public void A_folder_without_weights_is_refused()
    {
        _folder.Write("training_args.bin", new byte[10]);
        Refuses("the folder holds no checkpoint");
    }

    [Fact]
    public void A_path_that_is_not_there_is_refused() =>
        Assert.Contains("no such file or folder", TemporaryFolder.Refused(_folder["nothing"]).Message);

    [Fact]
    public void A_device_is_refused() =>
        Assert.Contains("/dev/zero", TemporaryFolder.Refused("/dev/zero").Message);

    [Fact]
    public void A_file_that_shrinks_while_it_is_read_is_reported()
    {
        var path = _folder.Write("model.safetensors", "a", "b");
        using var checkpoint = Checkpoint.Open(path);
        var tensor = checkpoint.Tensors["b"];
        // Truncated by another process: through its own descriptor, which no lock of ours can hinder.
        using (var truncate = System.Diagnostics.Process.Start("truncate", ["-s", $"{tensor.Offset + 2}", path]))
            truncate.WaitForExit();
        var problem = Assert.Throws<MergeException>(() => tensor.File.Read(tensor.Offset, new byte[4]));
        Assert.Contains($"{path}, byte {tensor.Offset + 2}: the file was truncated while reading", problem.Message);
    }

    [Fact]
    public void A_sparse_file_over_4_GB_is_handled()
    {
        var header = """
            {"big":{"dtype":"BF16","shape":[3,1000000000],"data_offsets":[0,6000000000]},
            "last":{"dtype":"F32","shape":[],"data_offsets":[6000000000,6000000004]}}
            """;
        var path = _folder.Write("model.safetensors", header, 0);
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            var end = 8 + header.Length + 6_000_000_004;
            RandomAccess.SetLength(file, end);
            RandomAccess.Write(file, [1, 2, 3, 4], end - 4);
        }
        using var checkpoint = Checkpoint.Open(path);
        var last = checkpoint.Tensors["last"];
        var bytes = new byte[4];
        last.File.Read(last.Offset, bytes);
        Assert.Equal([1, 2, 3, 4], bytes);
        Assert.Equal(6_000_000_000, checkpoint.Tensors["big"].Length);
    }

    private void Index(string map) =>
        _folder.WriteText("model.safetensors.index.json", $$"""{"metadata":{"total_size":1},"weight_map":{{map}}}""");

    private void Refuses(params string[] said)
    {
        var message = TemporaryFolder.Refused(_folder.Path).Message;
        Assert.All(said, text => Assert.Contains(text, message));
    }
}

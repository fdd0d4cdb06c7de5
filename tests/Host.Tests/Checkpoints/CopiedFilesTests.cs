using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class CopiedFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("tokenizer.model")]
    [InlineData("spiece.model")]
    [InlineData("special_tokens_map.json")]
    [InlineData("added_tokens.json")]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    [InlineData("chat_template.jinja")]
    [InlineData("preprocessor_config.json")]
    [InlineData("video_preprocessor_config.json")]
    [InlineData("processor_config.json")]
    [InlineData("modeling_custom.py")]
    public void Config_tokenizer_and_code_are_copied(string name) => Assert.True(CopiedFiles.IsCopied(name));

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("pytorch_model.bin")]
    [InlineData("tokenizer.bin")]
    [InlineData("README.md")]
    [InlineData("optimizer.pt")]
    [InlineData("optimizer.model")]
    [InlineData("training_args.bin")]
    [InlineData("trainer_state.json")]
    [InlineData("all_results.json")]
    [InlineData(".gitattributes")]
    public void Weights_training_state_and_the_rest_are_not_copied(string name) =>
        Assert.False(CopiedFiles.IsCopied(name));

    [Fact]
    public void Links_are_followed_and_a_second_copy_overwrites()
    {
        using var blobs = new TemporaryFolder();
        var blob = blobs.WriteText("0a1b", "one");
        File.SetAttributes(blob, FileAttributes.ReadOnly);
        File.CreateSymbolicLink(_folder["tokenizer.json"], blob);
        _folder.WriteText("README.md", "no");
        using var target = new TemporaryFolder();
        target.WriteText("tokenizer.json", "something longer");
        Assert.Equal(["tokenizer.json"], CopiedFiles.Copy(_folder.Path, target.Path));
        Assert.Equal("one", File.ReadAllText(target["tokenizer.json"]));
        Assert.Null(new FileInfo(target["tokenizer.json"]).LinkTarget);
        Assert.False(File.Exists(target["README.md"]));
    }

    [Fact]
    public void A_link_without_its_target_is_reported()
    {
        File.CreateSymbolicLink(_folder["vocab.txt"], _folder["blob"]);
        var problem = Assert.Throws<MergeException>(() => CopiedFiles.Copy(_folder.Path, _folder.Path));
        Assert.Contains(_folder["vocab.txt"], problem.Diagnostics[0].Where!);
    }
}

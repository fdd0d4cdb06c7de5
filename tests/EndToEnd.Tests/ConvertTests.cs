using System.Diagnostics;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary><c>merge convert</c>: any checkpoint in, safetensors out.</summary>
public sealed class ConvertTests : IDisposable
{
    private const int Kill = 9;

    private static readonly TinyTensor[] Model =
        [TinyTensor.Pattern("F32", "w", [4, 3], 1), TinyTensor.Pattern("BF16", "v", [5], 2)];

    private readonly Scratch _scratch = new();

    public ConvertTests() => TinyPyTorch.WriteFolder(_scratch["model"], Model);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_folder_becomes_a_folder_of_safetensors_with_its_config_and_tokenizer()
    {
        _scratch.Succeeds("convert", "model", "out");
        var converted = TinyCheckpoint.Read(_scratch["out"]);
        Assert.Equal(2, converted.Count);
        foreach (var tensor in Model)
        {
            Assert.Equal(tensor.DType, converted[tensor.Name].DType);
            Assert.Equal(tensor.Bytes, converted[tensor.Name].Bytes);
        }
        Assert.Equal(TinyCheckpoint.Config, File.ReadAllText(_scratch["out/config.json"]));
        Assert.Equal(TinyCheckpoint.Tokenizer, File.ReadAllText(_scratch["out/tokenizer.json"]));
        Assert.False(File.Exists(_scratch["out/pytorch_model.bin"]));
        var card = File.ReadAllText(_scratch["out/README.md"]);
        Assert.Contains("The weights of `model` as safetensors: converted with Merge", card);
        Assert.DoesNotContain("merging", card);
    }

    [Fact]
    public void A_file_becomes_a_folder_and_says_what_was_left_out()
    {
        TinyPyTorch.Write(_scratch["a.ckpt"], new Dictionary<string, object> { ["epoch"] = 3L, ["model"] = TinyPyTorch.Dict(Model) });
        Assert.Contains("'epoch'", _scratch.Succeeds("convert", "a.ckpt", "out").Error);
        Assert.Equal(["v", "w"], TinyCheckpoint.Read(_scratch["out"]).Keys.Order());
        var json = _scratch.Succeeds("convert", "a.ckpt", "out", "--force", "--json").Json;
        Assert.Equal(_scratch["out"], json.GetProperty("output").GetString());
    }

    [Fact]
    public void A_compiled_model_of_several_devices_has_the_names_it_had_before_and_so_has_its_optimizer()
    {
        TinyPyTorch.Write(_scratch["a.pt"], new Dictionary<string, object>
        {
            ["model"] = TinyPyTorch.Dict([.. Model.Select(t => t with { Name = $"_orig_mod.module.{t.Name}" })]),
            ["optimizer"] = new Dictionary<string, object>
            {
                ["state"] = Model.ToDictionary(
                    t => $"_orig_mod.module.{t.Name}", t => (object)new Dictionary<string, object> { ["exp_avg_sq"] = t }),
                ["param_groups"] = Array.Empty<object>(),
            },
        });
        Assert.Contains("prefix '_orig_mod.module.'", _scratch.Succeeds("convert", "a.pt", "out").Error);
        Assert.Equal(["v", "w"], TinyCheckpoint.Read(_scratch["out"]).Keys.Order());
        var note = _scratch.Succeeds("convert", "a.pt", "state", "--state").Error;
        Assert.DoesNotContain("the weights are those", note);
        Assert.DoesNotContain("left out: 'optimizer'", note);
        Assert.Equal(["v.exp_avg_sq", "w.exp_avg_sq"], TinyCheckpoint.Read(_scratch["state"]).Keys.Order());
    }

    [Fact]
    public void Dtype_rounds_the_tensors_and_the_config_says_so()
    {
        _scratch.Succeeds("convert", "model", "out", "--dtype", "bfloat16");
        var converted = TinyCheckpoint.Read(_scratch["out"]);
        Assert.Equal(TinyTensor.Of("BF16", "w", [4, 3], Model[0].Values).Bytes, converted["w"].Bytes);
        Assert.Equal(Model[1].Bytes, converted["v"].Bytes);
        Assert.Contains("\"bfloat16\"", File.ReadAllText(_scratch["out/config.json"]));
        Assert.Contains("rounded to bfloat16", File.ReadAllText(_scratch["out/README.md"]));
    }

    [Fact]
    public void An_existing_output_is_left_alone()
    {
        var mine = _scratch.Write("mine/thesis.txt", "years of work");
        _scratch.Refuses(2, ["not made by a merge", _scratch["mine"]], "convert", "model", "mine", "--force");
        _scratch.Refuses(2, ["exists", _scratch["mine"]], "convert", "model", "mine");
        Assert.Equal("years of work", File.ReadAllText(mine));
    }

    [Fact]
    public void An_output_that_cannot_be_made_is_refused()
    {
        _scratch.Write("blocked", "a file");
        _scratch.Refuses(1, [_scratch["blocked"]], "convert", "model", "blocked/out");
    }

    [Fact]
    public void The_name_of_a_file_as_output_is_wrong_usage_and_names_the_folder()
    {
        _scratch.Refuses(2, ["'out.safetensors'", "a folder is made", "'out'"], "convert", "model", "out.safetensors");
        Assert.False(Path.Exists(_scratch["out.safetensors"]));
    }

    [Theory]
    [InlineData("wrong.bin", "not a checkpoint", "it is no file of torch.save")]
    [InlineData("wrong.pt", "", "the file is empty")]
    [InlineData("evil.pt", "\u0080\u0002cos\nsystem\n(S'touch pwned'\ntR.", "it is a plain pickle")]
    public void A_wrong_file_is_refused(string name, string content, string words)
    {
        File.WriteAllText(_scratch[name], content, System.Text.Encoding.Latin1);
        _scratch.Refuses(1, [words, _scratch[name]], "convert", name, "out");
        Assert.False(File.Exists(_scratch["pwned"]));
    }

    [Fact]
    public void A_killed_conversion_resumes_and_gives_the_same_bytes()
    {
        // Transposed, so that each element is read alone: long enough to interrupt.
        var storage = TinyTensor.Pattern("F32", "storage", [300 * 300], 1);
        TinyPyTorch.Write(_scratch["views.pt"], Enumerable.Range(0, 24).ToDictionary(
            i => $"layers.{i}.w", i => (object)new TinyView(storage, 4 * i, [256, 256], [1, 300])));
        string[] arguments = ["convert", _scratch["views.pt"], "--threads", "1"];
        _scratch.Succeeds([.. arguments, "undisturbed/out"]);
        var journal = _scratch["out.partial/journal.jsonl"];
        using (var process = _scratch.Start([.. arguments, "out"]))
        {
            var clock = Stopwatch.StartNew();
            // Merge holds the journal locked: only its length can be seen. A tensor's line is shorter than this.
            while (new FileInfo(journal) is not { Exists: true, Length: > 5 * 120 })
            {
                Assert.False(process.HasExited, "the conversion ended before it could be killed");
                Assert.True(clock.Elapsed < MergeProcess.Patience, "the conversion finished no tensor");
                Thread.Sleep(2);
            }
            process.Signal(Kill);
            Assert.Equal(128 + Kill, process.Wait().ExitCode);
        }
        Assert.False(Directory.Exists(_scratch["out"]));
        var json = _scratch.Succeeds([.. arguments, "out", "--json"]).Json;
        Assert.InRange(json.GetProperty("tensors_resumed").GetInt32(), 3, 23);
        FolderContent.AssertSame(_scratch["undisturbed/out"], _scratch["out"]);
        var values = storage.Values;
        Assert.Equal(values[(4 * 7) + (300 * 5) + 2], TinyCheckpoint.Read(_scratch["out"])["layers.7.w"].Values[(2 * 256) + 5]);
    }
}

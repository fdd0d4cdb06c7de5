using System.Buffers.Binary;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>
/// Checkpoints that are damaged, or do not fit together: refused by their headers, before anything is written.
/// </summary>
public sealed class CheckpointErrorTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public CheckpointErrorTests() => Model("good", Floats("w", 4, 4), Floats("v", 4));

    public void Dispose() => _scratch.Dispose();

    private string BadFile => _scratch["bad/model.safetensors"];

    [Fact]
    public void A_truncated_file_is_refused()
    {
        CopyGood();
        using (var file = File.OpenWrite(BadFile))
            file.SetLength(file.Length - 5);
        Refuses([BadFile, "past the end of the file", "byte "]);
    }

    [Fact]
    public void A_file_cut_within_its_header_is_refused()
    {
        CopyGood();
        using (var file = File.OpenWrite(BadFile))
            file.SetLength(40);
        Refuses([BadFile, "past the end of the file (40 bytes)"]);
    }

    [Fact]
    public void An_absurd_header_length_is_refused()
    {
        CopyGood();
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, ulong.MaxValue - 7);
        using (var file = File.OpenWrite(BadFile))
            file.Write(length);
        Refuses([BadFile, $"the header claims {ulong.MaxValue - 7} bytes", "byte 0"]);
    }

    [Fact]
    public void Overlapping_offsets_are_refused()
    {
        BadHeader(32, TinyCheckpoint.Entry("w", "F32", [4], 0, 16), TinyCheckpoint.Entry("v", "F32", [6], 8, 32));
        Refuses([BadFile, "overlap those of 'w'", "'v'"]);
    }

    [Fact]
    public void Offsets_past_the_end_are_refused()
    {
        BadHeader(16, TinyCheckpoint.Entry("w", "F32", [4], 1 << 30, (1 << 30) + 16));
        Refuses([BadFile, "'w'", "past the end of the file"]);
    }

    [Fact]
    public void Duplicate_names_are_refused()
    {
        BadHeader(32, TinyCheckpoint.Entry("w", "F32", [4], 0, 16), TinyCheckpoint.Entry("w", "F32", [4], 16, 32));
        Refuses([BadFile, "the name 'w' occurs twice"]);
    }

    [Fact]
    public void An_index_that_leads_out_of_its_folder_is_refused()
    {
        File.Copy(_scratch["good/model.safetensors"], _scratch["secret.safetensors"]);
        var index = _scratch.Write(
            "bad/model.safetensors.index.json",
            "{\"weight_map\": {\"w\": \"../secret.safetensors\", \"v\": \"../secret.safetensors\"}}");
        Refuses([index, "'../secret.safetensors'", "inside the index's folder"]);
    }

    [Fact]
    public void An_index_that_names_missing_shards_is_refused_naming_each()
    {
        TinyCheckpoint.WriteSharded(
            _scratch["bad"],
            [Floats("w", 4, 4)], [Floats("v", 4)], [Floats("u", 0)]);
        File.Delete(_scratch["bad/model-00001-of-00003.safetensors"]);
        File.Delete(_scratch["bad/model-00003-of-00003.safetensors"]);
        Refuses([
            _scratch["bad/model-00001-of-00003.safetensors"], _scratch["bad/model-00003-of-00003.safetensors"],
            "the shard is missing",
        ]);
    }

    [Fact]
    public void All_damaged_models_are_told_at_once()
    {
        CopyGood();
        foreach (var name in new[] { "bad", "worse" })
        {
            Directory.CreateDirectory(_scratch[name]);
            File.WriteAllText(_scratch[$"{name}/model.safetensors"], "not a checkpoint");
        }
        _scratch.Refuses(
            1, [BadFile, _scratch["worse/model.safetensors"]],
            "run", _scratch.Recipe("linear", "bad=1 good=1 worse=1"), "out");
    }

    [Fact]
    public void Different_shapes_are_all_listed()
    {
        Model("bad", Floats("w", 4, 5), Floats("v", 3));
        Refuses(["w", "[4, 4] in 'good'", "[4, 5] in 'bad'", "v", "[4] in 'good'", "[3] in 'bad'"]);
    }

    [Fact]
    public void Missing_and_extra_tensors_are_all_listed()
    {
        Model("bad", Floats("extra.x", 3), Floats("extra.y", 3));
        Refuses([
            "'bad' lacks 2 tensors that 'good' has: w, v",
            "'good' lacks 2 tensors that 'bad' has: extra.x, extra.y",
        ]);
    }

    [Fact]
    public void A_quantised_checkpoint_is_refused()
    {
        CopyGood();
        _scratch.Write("bad/config.json", "{\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}}");
        Refuses(["quantised", "gptq", _scratch["bad"], "dequantise"]);
    }

    [Fact]
    public void Fp8_is_refused()
    {
        Model("bad", TinyTensor.Of("F8_E4M3", "w", [4, 4], new double[16]), Floats("v", 4));
        Refuses(["'w'", "F8_E4M3", _scratch["bad"]]);
    }

    [Fact]
    public void A_pickle_that_names_a_function_is_refused_with_that_name()
    {
        // torch.save's old format, with cos\nsystem where the state dict would be.
        byte[] magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
        Directory.CreateDirectory(_scratch["bad"]);
        File.WriteAllBytes(_scratch["bad/pytorch_model.bin"], [.. magic, 0x80, 2, (byte)'M', 0xe9, 3, .. ".}.cos\nsystem\n(S'id'\ntR."u8]);
        Refuses(["'os.system'", _scratch["bad/pytorch_model.bin"], "nothing in the file has been executed"]);
    }

    [Fact]
    public void An_empty_pytorch_file_is_refused()
    {
        _scratch.Write("bad/pytorch_model.bin", "");
        Refuses(["the file is empty", _scratch["bad/pytorch_model.bin"]]);
    }

    [Fact]
    public void An_empty_folder_is_no_model()
    {
        Directory.CreateDirectory(_scratch["bad"]);
        Refuses(["no checkpoint", _scratch["bad"], "model.safetensors"]);
    }

    private void Refuses(string[] words) =>
        _scratch.Refuses(1, words, "run", _scratch.Recipe("linear", "good=1 bad=1"), "out");

    private void Model(string name, params TinyTensor[] tensors) => TinyCheckpoint.Write(_scratch[name], tensors);

    private static TinyTensor Floats(string name, params long[] shape) => TinyTensor.Pattern("F32", name, shape, 1);

    private void CopyGood()
    {
        Directory.CreateDirectory(_scratch["bad"]);
        File.Copy(_scratch["good/model.safetensors"], BadFile);
    }

    private void BadHeader(int bytes, params string[] entries)
    {
        using var file = TinyCheckpoint.WriteHeader(BadFile, string.Join(',', entries));
        file.Write(new byte[bytes]);
    }
}

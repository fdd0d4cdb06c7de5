using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>What PyTorch wrote reads back as what was saved.</summary>
public sealed class PyTorchFileTests
{
    [Theory]
    [InlineData("dtypes.pt")]
    [InlineData("dtypes_legacy.pt")]
    [InlineData("dtypes_protocol4.pt")]
    public void Every_dtype_has_its_values(string name)
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path(name));
        Assert.Equal(13, checkpoint.Tensors.Count);
        Assert.Equal("float64", checkpoint.Tensors.Keys.First());
        float[] floats = [1, 2, 3, 4, 5, 6];
        Assert.Equal(floats, MemoryMarshal.Cast<byte, float>(Of("float32", DType.F32)).ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6], MemoryMarshal.Cast<byte, double>(Of("float64", DType.F64)).ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6], MemoryMarshal.Cast<byte, long>(Of("int64", DType.I64)).ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6], MemoryMarshal.Cast<byte, short>(Of("int16", DType.I16)).ToArray());
        Assert.Equal([1, 2, 3, 4, 5, 6], Of("uint8", DType.U8).ToArray());
        Assert.Equal(floats, MemoryMarshal.Cast<byte, Half>(Of("float16", DType.F16)).ToArray().Select(h => (float)h));
        Assert.Equal(
            floats,
            MemoryMarshal.Cast<byte, ushort>(Of("bfloat16", DType.BF16)).ToArray().Select(h => BitConverter.Int32BitsToSingle(h << 16)));
        Assert.Equal([1, 0, 1], Of("bool", DType.Bool).ToArray());
        Assert.Equal([7f], MemoryMarshal.Cast<byte, float>(Of("scalar", DType.F32)).ToArray());
        Assert.Empty(Of("empty", DType.F32).ToArray());
        Assert.Equal("0,3", string.Join(',', checkpoint.Tensors["empty"].Shape));

        Span<byte> Of(string tensor, DType dtype)
        {
            Assert.Equal(dtype, checkpoint.Tensors[tensor].DType);
            return PyTorchFixture.Bytes(checkpoint.Tensors[tensor]);
        }
    }

    [Theory]
    [InlineData("views.pt")]
    [InlineData("views_legacy.pt")]
    public void Views_of_any_stride_read_as_their_contiguous_copies_from_any_place(string name)
    {
        using var views = Checkpoint.Open(PyTorchFixture.Path(name));
        using var copies = Checkpoint.Open(PyTorchFixture.Path("views_contiguous.pt"));
        Assert.Equal(copies.Tensors.Keys, views.Tensors.Keys);
        foreach (var (tensor, view) in views.Tensors)
        {
            var expected = PyTorchFixture.Bytes(copies.Tensors[tensor]);
            for (var start = 0; start < expected.Length; start += 4)
            {
                for (var end = start + 4; end <= expected.Length; end += 4)
                {
                    var part = new byte[end - start];
                    view.Read(start, part);
                    Assert.Equal(expected[start..end], part);
                }
            }
        }
    }

    [Theory]
    [InlineData("lpips_v0.0_alex.pth")]
    [InlineData("lpips_v0.1_alex.pth")]
    [InlineData("lpips_v0.1_vgg.pth")]
    public void Real_files_of_Python_2_are_read(string name)
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path(name));
        Assert.Equal(5, checkpoint.Tensors.Count);
        Assert.Equal("1,64,1,1", string.Join(',', checkpoint.Tensors["lin0.model.1.weight"].Shape));
        foreach (var tensor in checkpoint.Tensors.Values)
        {
            var values = MemoryMarshal.Cast<byte, float>(PyTorchFixture.Bytes(tensor)).ToArray();
            Assert.All(values, v => Assert.InRange(v, -10f, 1000f));
            Assert.Contains(values, v => v > 0);
        }
    }

    [Fact]
    public void A_training_checkpoint_gives_its_weights_and_names_its_second_moments()
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path("training.pt"));
        Assert.Equal("0.weight", checkpoint.Tensors.Keys.First());
        Assert.Contains(checkpoint.Notes, n => n.Contains("['model']"));
        Assert.Contains(checkpoint.Notes, n => n.Contains("'module.'"));
        Assert.Contains(checkpoint.Notes, n => n.Contains("'epoch'"));
        Assert.Equal(10, checkpoint.State.Count);
        var moments = MemoryMarshal.Cast<byte, float>(PyTorchFixture.Bytes(checkpoint.State["0.weight.exp_avg_sq"]));
        // As PyTorch prints them.
        Assert.Equal(0.005155612714588642f, moments[0]);
        Assert.Equal(0.0019202803960070014f, moments[1]);
    }

    [Theory]
    [InlineData("optimizer_named.pt")]
    [InlineData("optimizer_by_name.pt")]
    public void An_optimizer_alone_gives_its_state_by_name(string name)
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path(name));
        Assert.Equal("4,3", string.Join(',', checkpoint.Tensors["0.weight.exp_avg_sq"].Shape));
        Assert.DoesNotContain("0.weight.step", checkpoint.Tensors.Keys);
    }

    [Fact]
    public void An_optimizer_that_numbers_its_parameters_says_what_is_missing() =>
        Assert.Contains("nothing names them", Refused("optimizer.pt"));

    [Fact]
    public void Several_state_dicts_are_listed() =>
        Assert.Contains("'generator', 'discriminator'", Refused("two_models.pt"));

    [Theory]
    [InlineData("}.", "the file holds an empty dict")]
    [InlineData("}K\u0007K\u0001sNK\u0001s.", "the file holds '7', '…'")]
    public void A_dict_without_weights_is_refused_with_its_keys(string pickle, string words)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("model.pt", ZipBuilder.Of(false, ZipBuilder.Saved($"\u0080\u0002{pickle}", 0)));
        Assert.Contains(words, TemporaryFolder.Refused(path).Message);
    }

    [Fact]
    public void Parameters_read_as_tensors()
    {
        using var checkpoint = Checkpoint.Open(PyTorchFixture.Path("parameters.pt"));
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "2.weight"], checkpoint.Tensors.Keys);
    }

    private static string Refused(string name) => TemporaryFolder.Refused(PyTorchFixture.Path(name)).Message;
}

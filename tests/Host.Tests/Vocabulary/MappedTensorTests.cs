using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Host.Tests.Vocabulary;

public sealed class MappedTensorTests : IDisposable
{
    private const string Name = "model.embed_tokens.weight";

    private readonly Written _files = new();
    private readonly List<Checkpoint> _open = [];

    public void Dispose()
    {
        _open.ForEach(c => c.Dispose());
        _files.Dispose();
    }

    [Fact]
    public void A_map_that_changes_nothing_leaves_the_tensor_itself()
    {
        var own = Stored("a", DType.F32, Written.Rows(1, 2, 3));
        Assert.Same(own, MappedTensor.Of(RowMap.FirstRows(0, 3), [own]));
    }

    [Fact]
    public void Rows_are_copied_averaged_and_zeroed_as_the_map_says()
    {
        var a = Stored("a", DType.F32, Written.Rows(1, 2, 3));
        var b = Stored("b", DType.F32, Written.Rows(10, 20));
        // 3 1 | b:20 | mean(1, 10, 20) = 31/3 | 0 | average of the five = (3 + 1 + 20 + 31/3 + 0) / 5
        var mapped = MappedTensor.Of(Example(), [a, b]);
        Assert.Equal([6L, 2], mapped.Shape.ToArray());
        Assert.Equal([3, 1, 20, 31 / 3f, 0, (float)((24 + (double)(31 / 3f)) / 5)], Column(mapped));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    [InlineData(DType.F64)]
    public void What_is_computed_reads_as_float32_whatever_the_models_store(DType type)
    {
        var mapped = MappedTensor.Of(
            Example(), [Stored("a", type, Written.Rows(1, 2, 3)), Stored("b", DType.BF16, Written.Rows(10, 20))]);
        Assert.Equal(DType.F32, mapped.DType);
        Assert.Equal([3, 1, 20, 31 / 3f, 0, (float)((24 + (double)(31 / 3f)) / 5)], Column(mapped));
    }

    [Fact]
    public void What_is_only_moved_keeps_its_dtype_and_bits()
    {
        var a = Stored("a", DType.BF16, Written.Rows(1, 2, 3));
        var map = new RowMap(0, [new(RowOrigin.Copy, 0, 2, 0, 1), new(RowOrigin.Zero, 2, 1, 0, 0)], []);
        var mapped = MappedTensor.Of(map, [a]);
        Assert.Equal(DType.BF16, mapped.DType);
        var bytes = new byte[mapped.Length];
        mapped.Read(0, bytes);
        Assert.Equal([.. Written.Bytes(DType.BF16, Written.Rows(2, 3)), 0, 0, 0, 0], bytes);
    }

    [Fact]
    public void A_copy_from_a_model_of_another_dtype_reads_as_float32()
    {
        var map = new RowMap(0, [new(RowOrigin.Copy, 0, 1, 0, 0), new(RowOrigin.Copy, 1, 1, 1, 0)], []);
        var mapped = MappedTensor.Of(
            map, [Stored("a", DType.F16, Written.Rows(1)), Stored("b", DType.BF16, Written.Rows(7))]);
        Assert.Equal(DType.F32, mapped.DType);
        Assert.Equal([1, 7], Column(mapped));
    }

    [Fact]
    public void It_reads_the_same_in_pieces_of_any_size()
    {
        var mapped = MappedTensor.Of(
            Example(), [Stored("a", DType.F32, Written.Rows(1, 2, 3)), Stored("b", DType.BF16, Written.Rows(10, 20))]);
        var whole = new byte[mapped.Length];
        mapped.Read(0, whole);
        for (var piece = 4; piece <= whole.Length; piece += 4)
        {
            var read = new byte[whole.Length];
            for (var at = 0; at < read.Length; at += piece)
                mapped.Read(at, read.AsSpan(at, Math.Min(piece, read.Length - at)));
            Assert.Equal(whole, read);
        }
    }

    [Fact]
    public void A_tensor_of_one_axis_has_rows_of_one_element()
    {
        var a = Stored("a", DType.F32, Written.Rows(1, 2, 3)) is var s ? s with { Shape = [6], Name = "lm_head.bias" } : null!;
        var map = new RowMap(0, [new(RowOrigin.Copy, 0, 1, 0, 4), new(RowOrigin.Copy, 1, 1, 0, 0)], []);
        var mapped = MappedTensor.Of(map, [a]);
        var values = new float[2];
        mapped.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        Assert.Equal([3, 1], values);
    }

    private static RowMap Example()
    {
        var builder = new RowMapBuilder(0);
        builder.Copy(new(0, 2));
        builder.Copy(new(0, 0));
        builder.Copy(new(1, 1));
        builder.Mean([new(0, 0), new(1, 0), new(1, 1)]);
        builder.Zero();
        builder.Average(1);
        return builder.ToMap();
    }

    private static float[] Column(TensorSource tensor)
    {
        var values = new float[tensor.Length / 4];
        tensor.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        return [.. values.Where((_, i) => i % 2 == 0)];
    }

    private StoredTensor Stored(string name, DType type, float[][] rows)
    {
        _files.Weights(name, null, (Name, type, rows));
        _open.Add(Checkpoint.Open(_files[name]));
        return _open[^1].Tensors[Name];
    }
}

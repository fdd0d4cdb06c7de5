using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class ChecksumsTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(1, 64)]
    [InlineData(4, 64)]
    [InlineData(2, 1 << 20)]
    public void A_files_checksum_is_that_of_all_its_bytes(int threads, int blockBytes)
    {
        TestTensor[] tensors =
        [
            Shaped("a", DType.F32, 5003), Shaped("b", DType.BF16, 64, 129), Shaped("c", DType.I64, 700), Of("d"),
            Of("e", 1),
        ];
        var a = _models.Add("a", tensors);
        var b = _models.Add("b", [.. tensors.Reverse()]);
        var plan = Runs.Plan(
            new OneLine(async t =>
            {
                var norm = await t.Sum(x => x.Models[0] * x.Models[0]);
                return TensorMerge.From(x => x.Models[1] * (float)norm);
            }),
            null,
            a,
            b);
        var run = Runs.Of(plan, new RunSettings { Threads = threads, BlockBytes = blockBytes });
        Assert.All(plan.InputFiles, f => Assert.Equal(Whole(f.File), run.Checksums.Of(f.File)));
    }

    [Fact]
    public void Tensors_that_no_merge_reads_are_read_for_it()
    {
        TestTensor[] tensors =
            [Shaped("n", DType.I32, 1000), Shaped("v", DType.F32, 1000), Shaped("w", DType.F32, 2000)];
        var (a, b) = (_models.Add("a", tensors), _models.Add("b", tensors));
        var plan = Runs.Plan(new OneLine(t => TensorMerge.Copy(t.Info.Name == "v" ? 0 : 1)), null, a, b);
        var run = Runs.Of(plan);
        Assert.Null(run.Checksums.Of(b.Find("v")!));
        Assert.All(plan.InputFiles, f => Assert.Equal(Whole(f.File), run.Checksums.Of(f.File)));
    }

    [Fact]
    public void A_tensor_is_claimed_once()
    {
        var a = _models.Add("a", Of("w", 1, 2), Of("empty"));
        var checksums = new Checksums();
        Assert.True(checksums.Claim(a.Find("w")!));
        Assert.False(checksums.Claim(a.Find("w")!));
        Assert.False(checksums.Claim(a.Find("empty")!));
        Assert.Null(checksums.Of(a.Find("w")!));
        checksums.Set(a.Find("w")!, 7);
        Assert.Equal(7u, checksums.Of(a.Find("w")!));
    }

    private static uint Whole(CheckpointFile file) => Crc32C.Append(0, File.ReadAllBytes(file.Path));
}

using System.Collections.Immutable;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class RoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> LibraryFiles()
    {
        var files = Directory.GetFiles(Golden(), "*.safetensors", SearchOption.AllDirectories);
        return new TheoryData<string>(
            files.Select(f => Path.GetRelativePath(Golden(), f)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(LibraryFiles))]
    public void Files_of_the_safetensors_library_are_laid_out_byte_for_byte(string file)
    {
        var path = Path.Combine(Golden(), file);
        using var checkpoint = Checkpoint.Open(path);
        var tensors = checkpoint.Tensors.Values.OrderBy(t => t.Name.Length)
            .Select(t => new OutputTensor(t.Name, t.DType, t.Shape));
        var layout = SafetensorsLayout.Of(tensors, 5_000_000_000, checkpoint.Metadata);
        Assert.Equal(File.ReadAllBytes(path)[..layout.Files[0].Header.Length], layout.Files[0].Header);
        Copy(checkpoint, layout);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(_folder["model.safetensors"]));
    }

    [Fact]
    public void Header_bytes_are_those_of_the_format()
    {
        OutputTensor[] tensors =
        [
            Tensor("b\"\\\n\u0001\u007f/é😀", DType.BF16, 2, 3), Tensor("z", DType.I64), Tensor("c", DType.C64, 1),
            Tensor("a", DType.F32, 0), Tensor("\ue000", DType.BF16), Tensor("😀", DType.BF16), Tensor("f", DType.F4, 2),
        ];
        var metadata = new Dictionary<string, string> { ["k"] = "v\t", ["format"] = "pt" };
        var header = SafetensorsLayout.Of(tensors, 1000, metadata).Files[0].Header;
        var expected = (
            @"{'__metadata__':{'format':'pt','k':'v\t'},'z':{'dtype':'I64','shape':[],'data_offsets':[0,8]},"
            + "'c':{'dtype':'C64','shape':[1],'data_offsets':[8,16]},"
            + "'a':{'dtype':'F32','shape':[0],'data_offsets':[16,16]},"
            + "'b\\'\\\\\\n\\u0001\u007f/é😀':{'dtype':'BF16','shape':[2,3],'data_offsets':[16,28]},"
            + "'\ue000':{'dtype':'BF16','shape':[],'data_offsets':[28,30]},"
            + "'😀':{'dtype':'BF16','shape':[],'data_offsets':[30,32]},"
            + "'f':{'dtype':'F4','shape':[2],'data_offsets':[32,33]}}").Replace('\'', '"');
        var text = Encoding.UTF8.GetString(header.AsSpan(8));
        Assert.Equal(expected, text.TrimEnd(' '));
        Assert.Equal(header.Length - 8, BitConverter.ToInt64(header));
        Assert.Equal(0, header.Length % 8);
        Assert.InRange(header.Length - 8 - Encoding.UTF8.GetByteCount(expected), 0, 7);
    }

    [Fact]
    public void What_is_written_reads_back_the_same() =>
        Prop.ForAll(Arb.From(Tensors()), Arb.From(Gen.Choose(1, 300)), (tensors, most) =>
        {
            var metadata = tensors.Take(3).ToDictionary(t => t.Name, t => t.Name + "\"");
            var layout = SafetensorsLayout.Of(tensors, most, metadata);
            var output = _folder["out"];
            if (Directory.Exists(output))
                Directory.Delete(output, recursive: true);
            using (var writer = OutputWriter.Create(output, layout))
            {
                foreach (var (name, place) in layout.Placements)
                    writer.Write(place.File, place.Offset, Content(name, place.Length));
                writer.Sync();
            }
            using var checkpoint = Checkpoint.Open(output);
            Assert.Equal(metadata, checkpoint.Metadata);
            Assert.Equal(tensors.Count, checkpoint.Tensors.Count);
            Assert.All(tensors, expected =>
            {
                var tensor = checkpoint.Tensors[expected.Name];
                Assert.Equal((expected.DType, expected.Length), (tensor.DType, tensor.Length));
                Assert.Equal(expected.Shape.AsSpan(), tensor.Shape.AsSpan());
                var bytes = new byte[tensor.Length];
                tensor.File.Read(tensor.Offset, bytes);
                Assert.Equal(Content(expected.Name, expected.Length), bytes);
            });
        }).Check(Fixed.Replay(100));

    internal static Gen<List<OutputTensor>> Tensors()
    {
        var character = Gen.OneOf(
            Gen.Elements("a", ".", "\"", "\\", "\n", "\0", "\u001f", "/", "é", "\u2028", "\uffff", "😀", "__metadata__"),
            Gen.Choose(' ', '~').Select(c => ((char)c).ToString()));
        var name = character.ArrayOf().Select(string.Concat);
        var tensor =
            from text in name
            from dtype in Gen.Elements(Enum.GetValues<DType>())
            from shape in Gen.Elements(0L, 1, 2, 3, 5, 8).ListOf().Select(s => s.Take(3))
            let odd = dtype.Bits() % 8 != 0
            select new OutputTensor(text, dtype, [.. shape, .. odd ? [4L] : Array.Empty<long>()]);
        return tensor.ListOf().Select(list => list.Where(t => t.Name != "__metadata__").DistinctBy(t => t.Name)
            .ToList());
    }

    private static OutputTensor Tensor(string name, DType dtype, params long[] shape) =>
        new(name, dtype, ImmutableArray.Create(shape));

    private static byte[] Content(string name, long length) =>
        [.. Enumerable.Range(0, (int)length).Select(i => (byte)(i + name.Length))];

    private void Copy(Checkpoint checkpoint, SafetensorsLayout layout)
    {
        using var writer = OutputWriter.Create(_folder.Path, layout);
        foreach (var tensor in checkpoint.Tensors.Values)
        {
            var bytes = new byte[tensor.Length];
            tensor.File.Read(tensor.Offset, bytes);
            var place = layout.Placements[tensor.Name];
            writer.Write(place.File, place.Offset, bytes);
        }
    }

    private static string Golden()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Merge.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "tests", "Golden");
    }
}

using System.Buffers.Binary;
using System.IO.Compression;
using Merge.Checkpoints;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>Archives written to harm or to confuse: refused in words, in little memory.</summary>
public sealed class ZipAttackTests : IDisposable
{
    private static readonly ZipEntry[] Good = ZipBuilder.StateDict("w");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, false, ZipEntry.UsualFlags)]
    [InlineData(true, false, ZipEntry.UsualFlags)]
    [InlineData(true, true, ZipEntry.UsualFlags)]
    [InlineData(false, false, 0)]
    public void Archives_with_and_without_zip64_and_data_descriptors_are_read(bool isWideEnd, bool isWide, ushort flags) =>
        Reads(ZipBuilder.Of(isWideEnd, Good.Select(e => e with { IsWide = isWide, Flags = flags })));

    [Theory]
    [InlineData("../../home/.bashrc")]
    [InlineData("archive/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("archive\\..\\x")]
    [InlineData("archive//x")]
    [InlineData("archive/./x")]
    [InlineData("archive/\u0001")]
    [InlineData("..")]
    [InlineData("")]
    public void A_name_that_leads_outside_is_refused(string name) =>
        Refuses(ZipBuilder.Of(false, [.. Good, new(name, [1])]), "does not stay inside the archive");

    [Fact]
    public void Members_within_each_other_are_refused()
    {
        ZipEntry inner = new("archive/data/1", new byte[64]);
        ZipEntry outer = new("archive/data/2", inner.Local());
        var at = Good.Sum(e => e.Local().Length) + 30 + outer.Name.Length;
        Refuses(ZipBuilder.Of(false, [.. Good, outer, inner with { At = at }]), "'archive/data/2' and 'archive/data/1' overlap");
    }

    [Fact]
    public void A_name_twice_is_refused() =>
        Refuses(ZipBuilder.Of(false, [.. Good, Good[1]]), "the member 'archive/data/0' is there twice");

    [Fact]
    public void One_place_under_two_names_is_refused() =>
        Refuses(ZipBuilder.Of(false, [.. Good, Good[1] with { Name = "archive/data/1", At = Good[0].Local().Length }]),
            "'archive/data/1' is not where");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_compressed_bomb_is_refused_unopened(int member)
    {
        var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest))
            deflate.Write(new byte[1 << 24]);
        var bomb = Good[member] with { Data = packed.ToArray(), Method = 8, Size = 1L << 24 };
        Refuses(ZipBuilder.Of(false, Good.Select((e, i) => i == member ? bomb : e)), $"the member '{bomb.Name}' is compressed");
    }

    [Fact]
    public void A_TorchScript_archive_is_named_although_its_code_is_compressed_before_it() => Refuses(
        ZipBuilder.Of(false, [.. Good, new("archive/code/__torch__.py", [3, 0]) { Method = 8, Size = 0 }, new("archive/constants.pkl", [])]),
        "torch.jit.load");

    [Theory]
    [InlineData(1)]
    [InlineData(0x41)]
    public void An_encrypted_member_is_refused(ushort flags) =>
        Refuses(ZipBuilder.Of(false, Good[0], Good[1] with { Flags = flags }), "is encrypted");

    [Theory]
    [InlineData(1L << 62)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    [InlineData(1000)]
    public void A_zip64_size_beyond_the_archive_is_refused(long size) =>
        Refuses(ZipBuilder.Of(true, Good[0], Good[1] with { IsWide = true, Size = size }), "'archive/data/0' is not where");

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1 << 20)]
    public void A_zip64_place_beyond_the_archive_is_refused(long at) =>
        Refuses(ZipBuilder.Of(true, Good[0], Good[1] with { IsWide = true, At = at }), "'archive/data/0' is not where");

    [Theory]
    [InlineData(10, "claims 2 members|claims 60000 members")]
    [InlineData(12, "is not within the archive")]
    [InlineData(16, "is not within the archive")]
    [InlineData(4, "one of several parts")]
    public void A_directory_that_points_outside_is_refused(int field, string words)
    {
        var bytes = ZipBuilder.Of(false, Good);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bytes.Length - ZipBuilder.EndBytes + field), 60_000);
        Refuses(bytes, words);
    }

    [Theory]
    [InlineData(32, 3)]
    [InlineData(40, 1L << 62)]
    [InlineData(48, 1L << 62)]
    [InlineData(48, -1)]
    [InlineData(64, 1L << 40)]
    [InlineData(64, -1)]
    public void A_zip64_end_that_lies_is_refused(int field, long value)
    {
        var bytes = ZipBuilder.Of(true, Good);
        var end = bytes.Length - ZipBuilder.EndBytes - ZipBuilder.WideEndBytes;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(end + field), value);
        Refuses(bytes, "disagree|is not within the archive|is not where it is said to be");
    }

    [Fact]
    public void An_archive_cut_anywhere_is_refused()
    {
        var bytes = ZipBuilder.Of(true, Good);
        for (var length = 0; length < bytes.Length; length++)
            Refuses(bytes[..length], "");
    }

    [Fact]
    public void A_pickle_with_another_checksum_is_refused() =>
        Refuses(ZipBuilder.Of(false, Good[0] with { Crc = 0x12345678 }, Good[1]), "expected 12345678, as the archive says");

    [Fact]
    public void Checksums_that_were_not_taken_and_those_of_storages_are_not_checked() =>
        Reads(ZipBuilder.Of(false, Good[0] with { Crc = 0 }, Good[1] with { Crc = 0x12345678 }));

    private void Reads(byte[] archive)
    {
        using var checkpoint = Checkpoint.Open(_folder.Write("model.pt", archive));
        Assert.Equal<byte>([0, 0, 128, 63, 0, 0, 0, 64], PyTorchFixture.Bytes(checkpoint.Tensors["w"]));
    }

    private void Refuses(byte[] archive, string words)
    {
        var path = _folder.Write("model.pt", archive);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var problem = TemporaryFolder.Refused(path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Contains(words.Split('|'), w => problem.Message.Contains(w));
        Assert.Contains(path, problem.Message);
    }
}

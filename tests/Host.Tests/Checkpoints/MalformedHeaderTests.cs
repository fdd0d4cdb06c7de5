using System.Text;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public sealed class MalformedHeaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void File_shorter_than_8_bytes_is_refused(int length) =>
        Refuses(_folder.Write("a.safetensors", new byte[length]), $"the file has {length} bytes");

    [Theory]
    [InlineData(3ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    public void Header_longer_than_the_file_is_refused(ulong length) =>
        Refuses(_folder.Write("a.safetensors", [.. BitConverter.GetBytes(length), .. "{}"u8]),
            "past the end of the file");

    [Fact]
    public void Header_over_100_MB_is_refused_without_being_read()
    {
        var path = _folder.Write("a.safetensors", BitConverter.GetBytes(100_000_001L));
        using (var file = File.OpenWrite(path))
            file.SetLength(200_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refuses(path, "the header claims 100000001 bytes");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Header_that_is_not_UTF8_is_refused() =>
        Refuses(_folder.Write("a.safetensors", [5, 0, 0, 0, 0, 0, 0, 0, .. "{\""u8, 0xFF, .. "\"}"u8]), "is not UTF-8");

    [Theory]
    [InlineData("")]
    [InlineData(" {}")]
    [InlineData("[]")]
    [InlineData("\u0080\u0004.pickle")]
    public void Header_that_does_not_start_with_a_brace_is_refused(string header) =>
        Refuses(header, 0, "does not start with '{'");

    [Theory]
    [InlineData("{")]
    [InlineData("{\"a\"")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",}}")]
    [InlineData("{}{}")]
    [InlineData("{} x")]
    [InlineData("{}\0\0")]
    [InlineData("{\"__metadata__\":{\"a\":\"b\"}")]
    public void Header_that_is_not_JSON_is_refused(string header) => Refuses(header, 0, "is not JSON");

    [Fact]
    public void Half_a_character_in_a_name_is_refused() =>
        Refuses("""{"\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, "not Unicode");

    [Fact]
    public void Duplicate_tensor_names_are_refused() =>
        Refuses(TemporaryFolder.Header("a", "a"), 8, "the name 'a' occurs twice", "tensor 'a', byte ");

    [Fact]
    public void Duplicate_names_that_differ_in_escapes_are_refused() =>
        Refuses(TemporaryFolder.Header("a", "\\u0061"), 8, "the name 'a' occurs twice");

    [Fact]
    public void Duplicate_metadata_are_refused() =>
        Refuses("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "the metadata 'k' occurs twice");

    [Fact]
    public void Duplicate_fields_are_refused() =>
        Refuses("""{"a":{"dtype":"F32","dtype":"I32","shape":[],"data_offsets":[0,4]}}""", 4, "'dtype' occurs twice");

    [Theory]
    [InlineData("BF17", "BF16")]
    [InlineData("f32", "F32")]
    [InlineData("F8_E4M3FNUZ", "F8_E4M3")]
    [InlineData("bool", "BOOL")]
    public void Unknown_dtype_is_refused_with_the_nearest(string dtype, string nearest) =>
        Refuses(Tensor(dtype, "[1]", "[0,4]"), 4,
            $"unknown dtype '{dtype}'", $"perhaps {nearest}", "tensor 'a', byte ");

    [Theory]
    [InlineData("32")]
    [InlineData("null")]
    [InlineData("[\"F32\"]")]
    public void Dtype_that_is_not_a_text_is_refused(string dtype) => Refuses(
        $$$"""{"a":{"dtype":{{{dtype}}},"shape":[1],"data_offsets":[0,4]}}""", 4, "its dtype is not a text");

    [Theory]
    [InlineData("[-1]")]
    [InlineData("[1.5]")]
    [InlineData("[1e2]")]
    [InlineData("[9223372036854775808]")]
    [InlineData("[[1]]")]
    [InlineData("[[1],1]")]
    [InlineData("[{\"b\":[]},1]")]
    [InlineData("[\"1\"]")]
    [InlineData("4")]
    [InlineData("{}")]
    [InlineData("null")]
    public void Shape_that_is_not_an_array_of_sizes_is_refused(string shape) =>
        Refuses(Tensor("F32", shape, "[0,4]"), 4, "its shape is not an array of sizes", "tensor 'a', byte ");

    [Theory]
    [InlineData("[4294967296,4294967296]")]
    [InlineData("[9223372036854775807,2]")]
    [InlineData("[9223372036854775807,9223372036854775807,9223372036854775807,0]")]
    public void Overflowing_shape_is_refused(string shape) =>
        Refuses(Tensor("F32", shape, "[0,4]"), 4, "more elements than 64 bits count");

    [Theory]
    [InlineData("[4,0]")]
    [InlineData("[0]")]
    [InlineData("[0,4,4]")]
    [InlineData("[]")]
    public void Offsets_that_are_not_a_begin_and_an_end_are_refused(string offsets) =>
        Refuses(Tensor("F32", "[1]", offsets), 4, "its data_offsets are [");

    [Theory]
    [InlineData("[-4,0]")]
    [InlineData("[0,18446744073709551615]")]
    [InlineData("[0,4.0]")]
    public void Offsets_that_are_not_sizes_are_refused(string offsets) =>
        Refuses(Tensor("F32", "[1]", offsets), 4, "its data_offsets is not an array of sizes");

    [Theory]
    [InlineData("[2]", "[4,12]")]
    [InlineData("[2305843009213693951]", "[0,9223372036854775804]")]
    [InlineData("[1]", "[9223372036854775800,9223372036854775804]")]
    public void Data_past_the_end_of_the_file_are_refused(string shape, string offsets) =>
        Refuses(Tensor("F32", shape, offsets), 8, "past the end of the file", "tensor 'a'");

    [Theory]
    [InlineData("F32", "[2]", "[0,4]", "8 bytes for F32 of shape [2]")]
    [InlineData("BF16", "[3]", "[0,4]", "6 bytes for BF16 of shape [3]")]
    [InlineData("F4", "[9]", "[0,4]", "a whole number of bytes for F4 of shape [9]")]
    [InlineData("F32", "[9223372036854775807]", "[0,4]", "36893488147419103228 bytes")]
    [InlineData("F32", "[0]", "[0,4]", "0 bytes for F32 of shape [0]")]
    public void Data_that_do_not_fit_dtype_and_shape_are_refused(
        string dtype, string shape, string offsets, string expected) =>
        Refuses(Tensor(dtype, shape, offsets), 4, "its data take 4 bytes", expected);

    [Fact]
    public void Overlapping_tensors_are_refused() => Refuses(
        """
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}
        """,
        12, "its data overlap those of 'a'", "tensor 'b', byte 120: ");

    [Fact]
    public void Same_data_for_two_tensors_are_refused() => Refuses(
        """
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
        """,
        4, "its data overlap those of");

    [Fact]
    public void Holes_between_tensors_are_refused() => Refuses(
        """
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}
        """,
        12, "4 bytes before its data belong to no tensor", "tensor 'b'");

    [Fact]
    public void A_hole_before_the_first_tensor_is_refused() =>
        Refuses(Tensor("F32", "[1]", "[4,8]"), 8, "4 bytes before its data belong to no tensor");

    [Fact]
    public void Trailing_bytes_are_refused() =>
        Refuses(TemporaryFolder.Header("a"), 5, "1 bytes at the end of the file belong to no tensor");

    [Theory]
    [InlineData("dtype")]
    [InlineData("shape")]
    [InlineData("data_offsets")]
    public void Missing_field_is_refused(string field) =>
        Refuses(TemporaryFolder.Header("a").Replace($"\"{field}\"", "\"other\""), 4,
            $"'{field}' is missing", "tensor 'a'");

    [Theory]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("{\"b\":\"c\"}")]
    public void Metadata_that_are_not_text_are_refused(string value) =>
        Refuses($$$"""{"__metadata__":{"k":{{{value}}}}}""", 0, "the metadata 'k' is not a text");

    [Theory]
    [InlineData("{\"a\":1}")]
    [InlineData("{\"a\":[{}]}")]
    [InlineData("{\"__metadata__\":\"pt\"}")]
    public void Entry_that_is_not_an_object_is_refused(string header) => Refuses(header, 0, "is not an object");

    [Fact]
    public void All_problems_of_a_file_are_reported_together()
    {
        var header = """
            {"__metadata__":{"k":1},"a":{"dtype":"X","shape":[-1],"data_offsets":[0,4]},"b":{"shape":[1]},
            "c":{"dtype":"F32","shape":[2],"data_offsets":[4,8]}}
            """;
        var found = TemporaryFolder.Refused(_folder.Write("a.safetensors", header, 8)).Diagnostics;
        Assert.Equal(6, found.Count);
        Assert.All(found, d => Assert.StartsWith(_folder["a.safetensors"], d.Where!));
    }

    [Fact]
    public void Thousands_of_problems_are_cut_to_a_readable_number()
    {
        var header = TemporaryFolder.Header([.. Enumerable.Range(0, 3000).Select(i => $"t{i}")]).Replace("F32", "F33");
        var found = TemporaryFolder.Refused(_folder.Write("a.safetensors", header, 12000)).Diagnostics;
        Assert.Equal(21, found.Count);
        Assert.StartsWith("2980 more", found[^1].Found);
    }

    private static string Tensor(string dtype, string shape, string offsets) =>
        $$$"""{"a":{"dtype":"{{{dtype}}}","shape":{{{shape}}},"data_offsets":{{{offsets}}}}}""";

    private void Refuses(string header, int data, params string[] said) =>
        Refuses(_folder.Write("a.safetensors", header, data), said);

    private static void Refuses(string path, params string[] said)
    {
        var refusal = TemporaryFolder.Refused(path);
        Assert.All(said, text => Assert.Contains(text, refusal.Message));
        Assert.All(refusal.Diagnostics, d => Assert.Contains(path, d.Where!));
        Assert.False(refusal.WrongUsage);
    }
}

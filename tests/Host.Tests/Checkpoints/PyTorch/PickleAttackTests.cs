using System.Text;
using Merge.Checkpoints;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>The known ways to attack the reader of a pickle, each by its name.</summary>
public sealed class PickleAttackTests : IDisposable
{
    private const string Storage = "((U\astoragectorch\nFloatStorage\nU\u00010U\u0003cpu";
    private const string Rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cos\nsystem\n(S'touch pwned'\ntR.", "'os.system'")]
    [InlineData("cbuiltins\neval\n(S'1'\ntR.", "'builtins.eval'")]
    [InlineData("cbuiltins\nexec\n(S'1'\ntR.", "'builtins.exec'")]
    [InlineData("csubprocess\nPopen\n(S'id'\ntR.", "'subprocess.Popen'")]
    [InlineData("cos\nsystem\n0}.", "'os.system'")]
    public void Code_is_refused_by_its_name_even_where_nothing_calls_it(string pickle, string name) => Refuses(pickle, name);

    [Theory]
    [InlineData("_rebuild_sparse_tensor", "a sparse tensor", "to_dense()")]
    [InlineData("_rebuild_qtensor", "a quantised tensor", "dequantize()")]
    public void A_tensor_of_another_kind_is_refused_by_its_kind_and_with_what_makes_it_dense(string name, string kind, string fix)
    {
        var pickle = $"}}U\u0001wctorch._utils\n{name}\n)Rs.";
        Refuses(pickle, kind);
        var message = Assert.Throws<MergeException>(() => Read(pickle)).Message;
        Assert.Contains(fix, message);
        Assert.DoesNotContain("model.state_dict()", message);
    }

    [Fact]
    public void Code_within_a_thousand_nested_reduces_is_refused_by_its_name() => Refuses(
        Repeated("cbuiltins\nlist\n(", 1000) + "cos\nsystem\n(S'id'\ntR" + Repeated("tR", 1000) + ".", "'os.system'");

    [Fact]
    public void A_hundred_thousand_nested_reduces_do_not_overflow_the_stack() =>
        Assert.Empty(Assert.IsType<List<object?>>(Read(Repeated("cbuiltins\nlist\n(", 100_000) + "]" + Repeated("tR", 100_000) + ".")));

    [Fact]
    public void A_reduce_that_rebuilds_itself_is_refused()
    {
        const string Name = "ctorch._tensor\n_rebuild_from_type_v2\n";
        Refuses($"{Name}({Name}ctorch\nTensor\n({Name}ctorch\nTensor\n)NtNtR.", "arguments it does not take");
    }

    [Theory]
    [InlineData("cbuiltins\ntuple\nh\0\u0085R0")]
    [InlineData("cbuiltins\nlist\nh\0\u0085R0")]
    [InlineData("ccollections\ndeque\nh\0\u0085R0")]
    public void A_memo_bomb_of_copies_is_refused_when_its_memory_is_used_up(string copy)
    {
        // 40 bytes of pickle ask for 8 KB each time.
        var pickle = $"]q\0({Repeated("N", 1000)}e{Repeated(copy, 50_000)}.";
        Assert.Contains("of objects beside its tensors", Assert.Throws<MergeException>(() => Read(pickle)).Message);
    }

    [Theory]
    [InlineData("M\u00ff\u00ff")]
    [InlineData("J\u00ff\u00ff\u00ff\u007f")]
    public void Integers_of_more_bytes_than_any_count_needs_are_refused(string before) =>
        Refuses($"{before}\u008b\0\u0001\u0001\0{Repeated("\u007f", 1 << 16)}.", "an integer of 65792 bytes");

    [Fact]
    public void Integers_of_more_digits_than_any_count_needs_are_refused() =>
        Refuses($"I{Repeated("9", 100_000)}\n.", "a line of more than 256 bytes");

    [Theory]
    [InlineData("K\u0002", "L1" + "0000000000" + "0000000000" + "0000000000" + "L\n\u0085")]
    [InlineData("L1" + "0000000000" + "0000000000" + "0000000000" + "L\n", "K\u0002\u0085")]
    public void An_integer_beyond_64_bits_is_no_size(string count, string shape) =>
        Refuses($"{Rebuild}{Storage}{count}tQK\0{shape}K\u0001\u0085\u0089NtR.", "a storage|arguments it does not take");

    [Theory]
    [InlineData("\u008a\u0005\0\0\0\0\u0001", "\u008a\u0005\0\0\0\0\u0001")]
    [InlineData("\u008a\u0008\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f", "K\u0004")]
    public void A_shape_whose_product_overflows_is_refused(string rows, string columns) =>
        Refuses($"{Rebuild}{Storage}K\u0002tQK\0{rows}{columns}\u0086K\0K\0\u0086\u0089NtR.", "larger than 64 bits count");

    [Fact]
    public void A_stride_that_overflows_is_refused() => Refuses(
        $"{Rebuild}{Storage}K\u0002tQK\0K\u0003\u0085\u008a\u0008{Repeated("\u00ff", 7)}\u007f\u0085\u0089NtR.", "reaches past its storage");

    [Fact]
    public void A_pickle_cut_anywhere_is_refused()
    {
        var pickle = Encoding.Latin1.GetString(ZipBuilder.StateDict("v", "w")[0].Data);
        Assert.IsType<PickleDict>(Read(pickle));
        for (var length = 0; length < pickle.Length; length++)
            Refuses(pickle[..length], "cut off");
    }

    [Fact]
    public void Cyclic_containers_where_values_are_looked_for_are_refused()
    {
        // A list that holds itself as a shape; as a group's parameters; a dict of weights that holds itself.
        Refuses($"{Rebuild}{Storage}K\u0002tQK\0]q\0h\0aK\u0001\u0085\u0089NtR.", "arguments it does not take");
        var optimizer = Read("}q\0(U\u0005state}K\0h\0sU\fparam_groups]q\u0001h\u0001ah\0au.");
        Assert.Empty(OptimizerState.Find("x", optimizer, () => [], out var problem));
        Assert.Contains("nothing names them", problem!.Found);
        var cyclic = "}q\0(U\u0001w" + Rebuild + Storage + "K\u0002tQK\0K\u0002\u0085K\u0001\u0085\u0089NtRU\u0001mh\0u.";
        Assert.Contains("weights under 'm' beside", Assert.Throws<MergeException>(() => StateDict.Find("x", Read(cyclic))).Message);
    }

    private static string Repeated(string text, int count) => new StringBuilder().Insert(0, text, count).ToString();

    private object? Read(string pickle)
    {
        using var file = CheckpointFile.OpenAny(_folder.Write("pickle", Encoding.Latin1.GetBytes(pickle)));
        return PickleReader.Read(new PickleStream(file, 0, file.Size));
    }

    private void Refuses(string pickle, string words)
    {
        var problem = Assert.Throws<MergeException>(() => Read(pickle));
        Assert.Contains(words.Split('|'), w => problem.Message.Contains(w));
        Assert.Contains(_folder["pickle"], problem.Message);
    }
}

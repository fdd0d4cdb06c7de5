using System.Text;
using Merge.Checkpoints;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>Pickles written to harm or to confuse.</summary>
public sealed class PickleReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cos\nsystem\n(S'id'\ntR.", "'os.system'")]
    [InlineData("cposix\nsystem\n.", "'posix.system'")]
    [InlineData("c__builtin__\neval\n(S'1'\ntR.", "'__builtin__.eval'")]
    [InlineData("cbuiltins\ngetattr\n.", "'builtins.getattr'")]
    [InlineData("(S'id'\nios\nsystem\n.", "'os.system'")]
    [InlineData("cbuiltins\ngetattr\n(cbuiltins\nobject\nS'__subclasses__'\ntR.", "'builtins.getattr'")]
    [InlineData("\u0080\u0004\u008c\u0002os\u008c\u0006system\u0093.", "'os.system'")]
    [InlineData("ctorch.storage\n_load_from_bytes\n.", "'torch.storage._load_from_bytes'")]
    [InlineData("ctorch\nload\n.", "'torch.load'")]
    public void A_name_that_no_checkpoint_needs_is_refused_with_that_name(string pickle, string name) => Refuses(pickle, name);

    [Theory]
    [InlineData("ccollections\nOrderedDict\n)R)R.", "calls something that is no name")]
    [InlineData("K\u0001)R.", "calls something that is no name")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R.", "arguments it does not take")]
    [InlineData("]K\u0001b.", "sets the state of something")]
    [InlineData("K\u0001]s.", "takes a value")]
    [InlineData("}K\u0001u.", "mark")]
    [InlineData("}(K\u0001u.", "a key without a value")]
    [InlineData("h\u0007.", "numbered 7")]
    [InlineData("t.", "mark")]
    [InlineData(".", "takes a value")]
    [InlineData("\u0082\u0001.", "0x82")]
    [InlineData("\u0097.", "0x97")]
    [InlineData("\u0080\u0006N.", "protocol 6")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ffabc.", "cut off")]
    [InlineData("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffabc.", "a length in the pickle")]
    [InlineData("\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.", "frame")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u007f.", "an integer of 2147483647 bytes")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u00ff.", "an integer of -1 bytes")]
    [InlineData("I12x\n.", "a number of the pickle cannot be read")]
    [InlineData("N", "cut off")]
    [InlineData("", "cut off")]
    [InlineData("r\u00ff\u00ff\u00ff\u00ff.", "takes a value")]
    [InlineData("Nr\u00ff\u00ff\u00ff\u00ff.", "numbers a value 4294967295")]
    public void A_malformed_pickle_is_refused_with_its_place(string pickle, string words) => Refuses(pickle, words);

    [Fact]
    public void Containers_that_contain_themselves_are_read_and_searched()
    {
        var dict = Assert.IsType<PickleDict>(Read("}q\0U\u0005modelh\0sU\u0005state]q\u0001h\u0001as."));
        Assert.Same(dict, dict.Find("model"));
        Assert.Throws<MergeException>(() => StateDict.Find("x", dict));
    }

    [Fact]
    public void A_hundred_thousand_levels_of_nesting_do_not_overflow_the_stack()
    {
        var deep = string.Concat(Enumerable.Repeat("]", 100_000)) + string.Concat(Enumerable.Repeat("a", 99_999)) + ".";
        Assert.IsType<List<object?>>(Read(deep));
    }

    [Fact]
    public void A_memo_bomb_is_searched_in_the_time_of_its_bytes()
    {
        // Each level is a dict of two entries, both the level below: 2^200 paths.
        var text = new StringBuilder("}q\0");
        for (var i = 1; i <= 200; i++)
            text.Append($"}}q{(char)i}(U\u0001ah{(char)(i - 1)}U\u0001bh{(char)(i - 1)}u");
        var root = Read(text + ".");
        Assert.Throws<MergeException>(() => StateDict.Find("x", root));
        Assert.False(OptimizerState.IsIn(root));
    }

    [Fact]
    public void Protocols_of_all_ages_give_the_same_values()
    {
        var dict = Assert.IsType<PickleDict>(Read(
            "(dS'a'\nI1\nsV\\u00e9\nL-7L\nsS'f'\nF1.5\nsS't'\n(I01\nI00\nNtsS'set'\nc__builtin__\nset\n((lI3\natRs."));
        Assert.Equal(1L, dict.Find("a"));
        Assert.Equal(-7L, dict.Find("é"));
        Assert.Equal(1.5, dict.Find("f"));
        Assert.Equal([true, false, null], Assert.IsType<object?[]>(dict.Find("t")));
        Assert.Equal([3L], Assert.IsType<List<object?>>(dict.Find("set")));
    }

    private object? Read(string pickle)
    {
        using var file = CheckpointFile.OpenAny(_folder.Write("pickle", Encoding.Latin1.GetBytes(pickle)));
        return PickleReader.Read(new PickleStream(file, 0, file.Size));
    }

    private void Refuses(string pickle, string words)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var problem = Assert.Throws<MergeException>(() => Read(pickle));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Contains(words.Split('|'), w => problem.Message.Contains(w));
        Assert.Contains(_folder["pickle"], problem.Message);
    }
}

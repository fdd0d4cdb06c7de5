using Host.Tests.Planning;
using Merge.Merging;

namespace Host.Tests.Merging;

public sealed class JournalTests : IDisposable
{
    private readonly TestModels _folder = new();

    private string FilePath => _folder["journal.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_added_is_there_when_it_is_opened_again()
    {
        Fill("f", new("a\"ö\n", 1, [2, null, uint.MaxValue]), new("b", 0, []));
        Fill("f", new JournalEntry("c", 3, [], "LAPACK 1.2"));
        using var journal = Journal.Open(FilePath, "f");
        Assert.Equal([null, null, "LAPACK 1.2"], journal.Entries.Select(e => e.LinearAlgebra));
        Assert.Equal(["a\"ö\n", "b", "c"], journal.Entries.Select(e => e.Tensor));
        Assert.Equal(new uint?[] { 2, null, uint.MaxValue }, journal.Entries[0].Inputs);
        Assert.Equal([1u, 0, 3], journal.Entries.Select(e => e.Checksum));
    }

    [Fact]
    public void A_journal_cut_anywhere_keeps_its_whole_lines_and_can_be_written_on()
    {
        Fill("f", new("a", 1, [2]), new("b", 3, [null]));
        var whole = File.ReadAllBytes(FilePath);
        var ends = whole.Index().Where(b => b.Item == (byte)'\n').Select(b => b.Index + 1).ToArray();
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Fill("f", new JournalEntry("later", 9, []));
            using var journal = Journal.Open(FilePath, "f");
            var kept = Math.Max(0, ends.Count(e => e <= length) - 1);
            Assert.Equal([.. new[] { "a", "b" }.Take(kept), "later"], journal.Entries.Select(e => e.Tensor));
        }
    }

    [Fact]
    public void A_journal_of_another_merge_is_started_anew()
    {
        Fill("f", new JournalEntry("a", 1, []));
        Fill("g");
        using var journal = Journal.Open(FilePath, "f");
        Assert.Empty(journal.Entries);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"tensor":"b","crc32c":-1,"inputs":[]}""")]
    [InlineData("""{"tensor":"b","crc32c":1,"inputs":7}""")]
    [InlineData("""{"tensor":null,"crc32c":1,"inputs":[]}""")]
    [InlineData("""{"tensor":7,"crc32c":1,"inputs":[]}""")]
    [InlineData("""{"tensor":"b","crc32c":1,"inputs":[],"linear_algebra":7}""")]
    public void A_journal_with_a_corrupt_line_is_started_anew(string line)
    {
        Fill("f", new JournalEntry("a", 1, []));
        File.AppendAllText(FilePath, line + "\n");
        using var journal = Journal.Open(FilePath, "f");
        Assert.Empty(journal.Entries);
    }

    [Fact]
    public void A_journal_that_is_held_open_cannot_be_opened()
    {
        using var held = Journal.Open(FilePath, "f");
        Assert.Throws<IOException>(() => Journal.Open(FilePath, "f"));
    }

    private void Fill(string fingerprint, params JournalEntry[] entries)
    {
        using var journal = Journal.Open(FilePath, fingerprint);
        foreach (var entry in entries)
            journal.Add(entry);
    }
}

namespace Merge.Compute.Cpu;

/// <summary>Some rows that combine the same terms: one loop evaluates them together.</summary>
/// <param name="Terms">As in <see cref="Combination"/>.</param>
/// <param name="Base">As in <see cref="Combination"/>.</param>
/// <param name="Outputs">Numbers of the rows.</param>
/// <param name="Coefficients">Term by term, of each row in turn.</param>
internal sealed record CombinedRows(int[] Terms, int Base, int[] Outputs, float[] Coefficients)
{
    /// <summary>Rows at a time: with two registers each, their sums stay in the registers of any machine.</summary>
    public const int Most = 4;

    public static CombinedRows[] Of(IReadOnlyList<Combination> rows) =>
    [
        .. rows.Index()
            .GroupBy(r => $"{r.Item.Base}:{string.Join(',', r.Item.Terms)}")
            .SelectMany(alike => alike.Chunk(Most))
            .Select(some => new CombinedRows(
                some[0].Item.Terms,
                some[0].Item.Base,
                [.. some.Select(r => r.Index)],
                [.. Enumerable.Range(0, some[0].Item.Terms.Length)
                    .SelectMany(i => some.Select(r => r.Item.Coefficients[i]))])),
    ];
}

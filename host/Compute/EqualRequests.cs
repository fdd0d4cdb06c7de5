using Merge.Sdk;

namespace Merge.Compute;

/// <summary>Finds statistics that are asked for twice, by several candidates: they are computed once.</summary>
internal static class EqualRequests
{
    /// <summary>The requests, equal ones together, in the order of the first of each.</summary>
    /// <param name="info">Their tensor.</param>
    /// <param name="requests">What is asked of it.</param>
    /// <param name="substitute">See <see cref="Recording.Of"/>.</param>
    public static StatRequest[][] Of(
        TensorInfo info, IReadOnlyList<StatRequest> requests, Func<InputKey, Node?>? substitute)
    {
        if (requests.Count < 2)
            return [.. requests.Select(r => new[] { r })];
        Node[][] operands = [.. requests.Select(Operands)];
        var terms = Recording.Of(info, [.. operands.SelectMany(o => o)], substitute).Roots;
        var next = 0;
        return
        [
            .. requests.Index().GroupBy(
                r => Key(r.Item, r.Index, operands[r.Index].Select(_ => terms[next++]).ToArray()),
                r => r.Item,
                (_, equal) => equal.ToArray()),
        ];
    }

    private static Node[] Operands(StatRequest request) => request switch
    {
        SumRequest sum => [sum.Value],
        DotRequest dot => [dot.A, dot.B],
        CountRequest count => [count.Mask],
        RangeRequest range => [range.Value],
        GramRequest gram => [.. gram.Values],
        LargestRequest largest => [largest.Score],
        OrderRequest order => [order.Score],
        RowSumsRequest rows => [rows.Value],
        ColumnSumsRequest columns => [columns.Value],
        MaterializeRequest matrix => [matrix.Value],
        ProductRequest product => [product.Value],
        TransposedProductRequest product => [product.Value],
        _ => throw new InvalidOperationException($"no operands of {request.GetType().Name}"),
    };

    // A matrix is large: everyone who asks for one holds one, and the budget counts each.
    private static string Key(StatRequest request, int index, int[] terms) => request switch
    {
        LargestRequest largest => $"largest {largest.Keep} of {terms[0]}",
        OrderRequest order => $"{string.Join(',', order.Ranks)} of {terms[0]}",
        MaterializeRequest or ProductRequest or TransposedProductRequest => $"matrix {index}",
        _ => $"{request.GetType().Name} of {string.Join(',', terms)}",
    };
}

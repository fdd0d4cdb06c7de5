namespace Plugins.Tests.Reference;

/// <summary>The row-wise softmax method, in float64.</summary>
internal static class RowMethods
{
    public static double[] RowSoftmax(MergeCase c, double temperature)
    {
        var row = c.Shape.Length == 0 ? 1 : (int)c.Shape[^1];
        var result = new double[c.Count];
        for (var start = 0; start < c.Count; start += row)
        {
            var shares = new double[c.Models.Length][];
            for (var i = 0; i < shares.Length; i++)
            {
                var delta = c.Delta(i)[start..(start + row)];
                var raised = delta.Select(d => Math.Exp(Math.Abs(d) / temperature)).ToArray();
                shares[i] = [.. raised.Select(r => r / raised.Sum())];
            }
            for (var e = start; e < start + row; e++)
            {
                var total = shares.Sum(s => s[e - start]);
                result[e] = c.Base[e] + shares.Select((s, i) => s[e - start] * c.Delta(i)[e]).Sum() / total;
            }
        }
        return result;
    }
}

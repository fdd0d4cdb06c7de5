namespace Merge.Samples.Digits;

/// <summary>Images and their digits.</summary>
/// <param name="Pixels">Row after row, 64 values from 0 to 1 each.</param>
/// <param name="Labels">The digit of each row.</param>
public sealed record DigitsSplit(float[] Pixels, int[] Labels)
{
    /// <summary>8×8.</summary>
    public const int PixelsPerImage = 64;

    /// <summary>Number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>The rows whose digit is one of <paramref name="digits"/>, in order.</summary>
    public DigitsSplit Only(params IReadOnlyCollection<int> digits) =>
        Pick(Enumerable.Range(0, Count).Where(row => digits.Contains(Labels[row])));

    /// <summary>The rows from <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public DigitsSplit Rows(int start, int end) => Pick(Enumerable.Range(start, end - start));

    internal ReadOnlySpan<float> Image(int row) => Pixels.AsSpan(row * PixelsPerImage, PixelsPerImage);

    private DigitsSplit Pick(IEnumerable<int> rows)
    {
        var chosen = rows.ToArray();
        return new DigitsSplit(
            [.. chosen.SelectMany(row => Image(row).ToArray())], [.. chosen.Select(row => Labels[row])]);
    }
}

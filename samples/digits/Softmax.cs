namespace Merge.Samples.Digits;

/// <summary>Softmax and the gradient of its cross entropy.</summary>
internal static class Softmax
{
    /// <summary>Turns logits [digits, images] into the gradient of the mean cross entropy.</summary>
    /// <param name="logits">Overwritten; columns past the labels become 0.</param>
    /// <param name="labels">The digit of each image.</param>
    /// <param name="images">Columns of <paramref name="logits"/>.</param>
    public static void CrossEntropyGradient(float[] logits, ReadOnlySpan<int> labels, int images)
    {
        Span<float> p = stackalloc float[DigitsModel.Digits];
        for (var b = 0; b < images; b++)
        {
            var largest = float.NegativeInfinity;
            for (var d = 0; d < p.Length; d++)
                largest = MathF.Max(largest, logits[d * images + b]);

            var sum = 0f;
            for (var d = 0; d < p.Length; d++)
                sum += p[d] = Exp(logits[d * images + b] - largest);

            for (var d = 0; d < p.Length; d++)
                logits[d * images + b] =
                    b < labels.Length ? (p[d] / sum - (d == labels[b] ? 1 : 0)) / labels.Length : 0;
        }
    }

    // MathF.Exp is the C library's: its last bit differs from machine to machine. 2^n · e^r with |r| ≤ ln 2 / 2, the
    // Taylor polynomial of degree 6 (relative error under 2e-7), for x ≤ 0.
    internal static float Exp(float x)
    {
        if (x < -80)
            return 0;
        var n = MathF.Round(x * 1.44269504f);
        var r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
        var e = 1 + r * (1 + r * (1 / 2f + r * (1 / 6f + r * (1 / 24f + r * (1 / 120f + r * (1 / 720f))))));
        return e * BitConverter.Int32BitsToSingle(((int)n + 127) << 23);
    }
}

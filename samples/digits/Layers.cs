using System.Runtime.Intrinsics;

namespace Merge.Samples.Digits;

/// <summary>
/// Forward and backward of each kind of layer. Activations are [features, images], images side by side in lanes (a
/// multiple of <see cref="Lanes.Width"/>); weights are [outputs, inputs]. Gradients are overwritten.
/// </summary>
internal static class Layers
{
    private const float NormEpsilon = 1e-5f;

    public static void Linear(float[] weight, float[] bias, float[] x, float[] y, int images)
    {
        var inputs = weight.Length / bias.Length;
        for (var o = 0; o < bias.Length; o++)
            for (var b = 0; b < images; b += Lanes.Width)
            {
                var sum = Vector256.Create(bias[o]);
                for (var i = 0; i < inputs; i++)
                    sum += weight[o * inputs + i] * Lanes.At(x, i * images + b);
                Lanes.Put(sum, y, o * images + b);
            }
    }

    /// <param name="dx">Null where nobody needs it: the pixels.</param>
    public static void LinearBackward(
        float[] weight, float[] x, float[] dy, float[] dWeight, float[] dBias, float[]? dx, int images)
    {
        var inputs = weight.Length / dBias.Length;
        for (var o = 0; o < dBias.Length; o++)
        {
            dBias[o] = RowSum(dy, o, images);
            for (var i = 0; i < inputs; i++)
                dWeight[o * inputs + i] = RowDot(dy, o, x, i, images);
        }

        for (var i = 0; dx is not null && i < inputs; i++)
            for (var b = 0; b < images; b += Lanes.Width)
            {
                var sum = Vector256<float>.Zero;
                for (var o = 0; o < dBias.Length; o++)
                    sum += weight[o * inputs + i] * Lanes.At(dy, o * images + b);
                Lanes.Put(sum, dx, i * images + b);
            }
    }

    public static void Relu(float[] x)
    {
        for (var i = 0; i < x.Length; i++)
            x[i] = x[i] > 0 ? x[i] : 0;
    }

    /// <param name="y">What <see cref="Relu"/> left.</param>
    /// <param name="dy">Gradient of y, made the gradient of x.</param>
    public static void ReluBackward(float[] y, float[] dy)
    {
        for (var i = 0; i < y.Length; i++)
            if (y[i] == 0)
                dy[i] = 0;
    }

    /// <param name="normal">Receives x at mean 0, variance 1 over the features.</param>
    /// <param name="scale">Receives 1 / standard deviation for each image.</param>
    public static void Norm(
        float[] weight, float[] bias, float[] x, float[] normal, float[] scale, float[] y, int images)
    {
        var features = Vector256.Create((float)weight.Length);
        for (var b = 0; b < images; b += Lanes.Width)
        {
            Vector256<float> sum = default, squares = default;
            for (var f = 0; f < weight.Length; f++)
                sum += Lanes.At(x, f * images + b);
            var mean = sum / features;
            for (var f = 0; f < weight.Length; f++)
            {
                var centred = Lanes.At(x, f * images + b) - mean;
                squares += centred * centred;
            }

            var inverse = Vector256<float>.One
                / Vector256.Sqrt(squares / features + Vector256.Create(NormEpsilon));
            Lanes.Put(inverse, scale, b);
            for (var f = 0; f < weight.Length; f++)
            {
                var unit = (Lanes.At(x, f * images + b) - mean) * inverse;
                Lanes.Put(unit, normal, f * images + b);
                Lanes.Put(weight[f] * unit + Vector256.Create(bias[f]), y, f * images + b);
            }
        }
    }

    public static void NormBackward(
        float[] weight,
        float[] normal,
        float[] scale,
        float[] dy,
        float[] dWeight,
        float[] dBias,
        float[] dx,
        int images)
    {
        for (var f = 0; f < weight.Length; f++)
        {
            dBias[f] = RowSum(dy, f, images);
            dWeight[f] = RowDot(dy, f, normal, f, images);
        }

        var features = Vector256.Create((float)weight.Length);
        for (var b = 0; b < images; b += Lanes.Width)
        {
            Vector256<float> sum = default, dot = default;
            for (var f = 0; f < weight.Length; f++)
            {
                var d = weight[f] * Lanes.At(dy, f * images + b);
                sum += d;
                dot += d * Lanes.At(normal, f * images + b);
            }

            for (var f = 0; f < weight.Length; f++)
            {
                var at = f * images + b;
                var d = weight[f] * Lanes.At(dy, at);
                Lanes.Put((d - sum / features - Lanes.At(normal, at) * (dot / features)) * Lanes.At(scale, b), dx, at);
            }
        }
    }

    private static float RowSum(float[] x, int row, int images)
    {
        var sum = Vector256<float>.Zero;
        for (var b = 0; b < images; b += Lanes.Width)
            sum += Lanes.At(x, row * images + b);
        return Lanes.Sum(sum);
    }

    private static float RowDot(float[] x, int xRow, float[] y, int yRow, int images)
    {
        var sum = Vector256<float>.Zero;
        for (var b = 0; b < images; b += Lanes.Width)
            sum += Lanes.At(x, xRow * images + b) * Lanes.At(y, yRow * images + b);
        return Lanes.Sum(sum);
    }
}

using Merge.Samples.Digits;

namespace Host.Tests.Digits;

public class GradientTests
{
    private const int Images = 5;

    [Fact]
    public void Backward_gives_the_slope_of_the_loss_in_every_tensor()
    {
        var rows = DigitsData.Load(DigitsData.DefaultFolder).Train.Rows(0, Images);
        var values = DigitsModel.Initial(3).CopyValues();
        var gradients = DigitsModel.Zeros();
        var network = new Network(Images);
        for (var row = 0; row < Images; row++)
            network.SetImage(row, rows.Pixels.AsSpan(row * 64, 64));
        network.Forward(values);
        network.Backward(values, rows.Labels, gradients);

        for (var t = 0; t < values.Length; t++)
        {
            // Along the tensor's own gradient: the slope is its norm, large against the loss's float32 rounding.
            var norm = Math.Sqrt(gradients[t].Sum(g => (double)g * g));
            Assert.True(norm > 1e-3, DigitsModel.Layout[t].Name);
            const double Reach = 2e-3;
            var slope = (LossAt(t, Reach / norm) - LossAt(t, -Reach / norm)) / (2 * Reach);
            Assert.Equal(1, slope / norm, 0.02);
        }

        double LossAt(int t, double step)
        {
            var moved = values.Select(v => (float[])v.Clone()).ToArray();
            for (var i = 0; i < moved[t].Length; i++)
                moved[t][i] += (float)(step * gradients[t][i]);
            return Loss(moved, rows);
        }
    }

    [Fact]
    public void Exp_is_accurate_to_float32()
    {
        for (var x = -80f; x <= 0; x += 0.37f)
            Assert.Equal(1, Softmax.Exp(x) / Math.Exp(x), 4e-7);
        Assert.Equal(1f, Softmax.Exp(0));
        Assert.Equal(0f, Softmax.Exp(-1000));
    }

    // The network written a second time, in double, loop by loop.
    private static double Loss(float[][] p, DigitsSplit rows) => Enumerable.Range(0, rows.Count).Average(row =>
    {
        double[] x = [.. rows.Pixels.AsSpan(row * 64, 64).ToArray().Select(v => (double)v)];
        double[] hidden = Relu(Linear(p[2], p[3], Relu(Linear(p[0], p[1], x))));
        var mean = hidden.Average();
        var deviation = Math.Sqrt(hidden.Average(h => (h - mean) * (h - mean)) + 1e-5);
        double[] normed = [.. hidden.Select((h, f) => p[4][f] * (h - mean) / deviation + p[5][f])];
        var logits = Linear(p[6], p[7], normed);
        return Math.Log(logits.Sum(Math.Exp)) - logits[rows.Labels[row]];
    });

    private static double[] Linear(float[] weight, float[] bias, double[] x) =>
        [.. bias.Select((b, o) => b + x.Select((v, i) => v * weight[o * x.Length + i]).Sum())];

    private static double[] Relu(double[] x) => [.. x.Select(v => Math.Max(v, 0))];
}

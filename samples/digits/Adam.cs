namespace Merge.Samples.Digits;

/// <summary>Adam (arXiv:1412.6980) with its usual constants.</summary>
internal sealed class Adam
{
    private const float Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f;

    private readonly float[][] first = DigitsModel.Zeros();
    private double power1 = 1, power2 = 1;

    /// <summary>The running mean of squared gradients, which checkpoints call <c>exp_avg_sq</c>.</summary>
    public float[][] SecondMoments { get; } = DigitsModel.Zeros();

    public void Step(float[][] values, float[][] gradients, float learningRate)
    {
        power1 *= Beta1;
        power2 *= Beta2;
        var rate = (float)(learningRate / (1 - power1));
        var correction = (float)(1 / (1 - power2));
        for (var t = 0; t < values.Length; t++)
        {
            var (value, gradient, m, v) = (values[t], gradients[t], first[t], SecondMoments[t]);
            for (var i = 0; i < value.Length; i++)
            {
                m[i] = Beta1 * m[i] + (1 - Beta1) * gradient[i];
                v[i] = Beta2 * v[i] + (1 - Beta2) * gradient[i] * gradient[i];
                value[i] -= rate * m[i] / (MathF.Sqrt(v[i] * correction) + Epsilon);
            }
        }
    }
}

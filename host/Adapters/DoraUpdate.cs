using Merge.Checkpoints;

namespace Merge.Adapters;

/// <summary>
/// DoRA of one module (arXiv 2402.09353): W' = m / ‖W + ΔW‖₂ · (W + ΔW), norms over each output's inputs, which must be
/// known before the first value is.
/// </summary>
internal sealed class DoraUpdate
{
    private readonly TensorSource _base;
    private readonly RecentFactors _recent;
    private readonly Lazy<float[]> _factors;

    /// <param name="module">With magnitudes m.</param>
    /// <param name="weight">Its weight among the adapters.</param>
    /// <param name="baseWeight">W.</param>
    /// <param name="recent">Shared by all tensors of a model.</param>
    public DoraUpdate(AdapterModule module, double weight, TensorSource baseWeight, RecentFactors recent)
    {
        (Module, Weight, _base, _recent) = (module, weight, baseWeight, recent);
        _factors = new(OutputFactors);
    }

    public AdapterModule Module { get; }

    public double Weight { get; }

    /// <summary>W to W' in place.</summary>
    /// <param name="at">The first element's index.</param>
    /// <param name="values">W there.</param>
    /// <param name="change">As long; overwritten.</param>
    public void Apply(long at, Span<float> values, Span<float> change)
    {
        var outputs = _factors.Value;
        using var loan = Factors();
        var factors = loan.Factors;
        factors.Read(at, change);
        for (var i = 0; i < values.Length; i++)
            values[i] = outputs[OutputOf(at + i, factors.Width)] * (values[i] + change[i]);
    }

    /// <summary>m / ‖W + ΔW‖₂ of every output, the squares summed in float64.</summary>
    private float[] OutputFactors()
    {
        var magnitudes = FactorValues.Read(Module.Magnitude!);
        using var loan = Factors();
        var factors = loan.Factors;
        var squares = new double[magnitudes.Length];
        var rows = Math.Max(1, (1 << 16) / factors.Width);
        var (values, change) = (new float[rows * factors.Width], new float[rows * factors.Width]);
        var count = factors.Count;
        for (var at = 0L; at < count; at += values.Length)
        {
            var length = (int)Math.Min(values.Length, count - at);
            StoredValues.Read(_base, at, values.AsSpan(0, length));
            factors.Read(at, change.AsSpan(0, length));
            for (var i = 0; i < length; i++)
            {
                double value = values[i] + change[i];
                squares[OutputOf(at + i, factors.Width)] += value * value;
            }
        }
        return [.. magnitudes.Zip(squares, (m, s) => (float)(m / Math.Sqrt(s)))];
    }

    private int OutputOf(long element, int width) =>
        (int)(Module.Layout == FactorLayout.Transposed ? element % width : element / width);

    private RecentFactors.Loan Factors() => _recent.Of(this, () => FactorProduct.Of([(Module, 1)]));
}

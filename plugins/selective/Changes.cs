using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>Which models changed an element: those with |Δ_i| above ε.</summary>
internal sealed class Changes
{
    private readonly IReadOnlyList<TensorExpr> _deltas;

    public Changes(Block block, double epsilon)
    {
        _deltas = block.Deltas;
        By = [.. _deltas.Select(d => d.Abs() > epsilon)];
        Count = By.Select(m => m.AsNumber()).Aggregate((x, y) => x + y);
    }

    /// <summary>Where a model changed the element.</summary>
    public IReadOnlyList<TensorMask> By { get; }

    /// <summary>How many models did.</summary>
    public TensorExpr Count { get; }

    /// <summary>Where one model alone did.</summary>
    public TensorMask Unique => Count.EqualTo(1f);

    /// <summary>Σ of the changes.</summary>
    public TensorExpr Sum => SumOf(_deltas);

    /// <summary>Σ of the changes, each times its model's factor.</summary>
    public TensorExpr SumTimes(IReadOnlyList<double> factors) => SumOf(_deltas.Zip(factors, (d, f) => f * d));

    private TensorExpr SumOf(IEnumerable<TensorExpr> values) =>
        values.Zip(By, (v, changed) => v.Masked(changed)).Aggregate((x, y) => x + y);
}

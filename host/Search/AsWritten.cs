using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>The recipe with the values it gives, and the method's defaults where it gives none: nothing of it searched.</summary>
internal sealed class AsWritten
{
    // Shares of models are 1/K to the last bits of whatever sums and quotients made them.
    private const double Rounding = 1e-9;

    private readonly PlannedSpace _planned;

    public AsWritten(PlannedSpace planned)
    {
        _planned = planned;
        // A value on no line stands in for one that the search has to bring.
        Lacks = planned.Plan.Tensors.SelectMany(t => t.Values)
            .FirstOrDefault(p => p.Values.Any(v => v.Line == SearchedOption.NoLine))?.Schema.Name;
        Weights = Lacks is null ? WholeCombination.Of(planned.Plan, t => t.Options!) : null;
    }

    /// <summary>A required parameter that it gives no value, so that it cannot be merged; else null.</summary>
    public string? Lacks { get; }

    /// <summary>See <see cref="WholeCombination"/>.</summary>
    public IReadOnlyList<double>? Weights { get; }

    /// <summary>Whether it is the mean of all models.</summary>
    public bool IsUniform => IsMean(Weights);

    /// <summary>Whether the mean of all models is where the search begins.</summary>
    public bool BeginsUniform => OptionsAt(_planned.Space.Start()) is { } options && IsMean(WholeCombination.Of(_planned.Plan, options));

    /// <summary>The one model that it is: a place among the plan's models, or their number for the base; else null.</summary>
    public int? Only => Weights is { } weights && weights.Count(w => w != 0) == 1 && weights.Contains(1) ? weights.ToList().IndexOf(1) : null;

    /// <summary>What it is called.</summary>
    public string Name => IsUniform ? "the recipe as written (the uniform average)" : "the recipe as written";

    /// <summary>What is scored: where the search begins, if that is the same, as then it is likely to be known.</summary>
    public PointToScore ToScore => _planned.Space.Start() is var start && IsAt(start) ? new(null, start) : PointToScore.AsWritten;

    /// <summary>Whether a point makes the same weights.</summary>
    public bool IsAt(IReadOnlyList<double> point) => OptionsAt(point) is { } options
        && (_planned.Plan.Tensors.Where(t => !t.IsCopied).All(t => Equals(options(t), t.Options))
            || (Weights is { } weights && WholeCombination.Of(_planned.Plan, options) is { } own
                // As they are computed with.
                && own.Select(w => (float)w).SequenceEqual(weights.Select(w => (float)w))));

    private Func<TensorPlan, object>? OptionsAt(IReadOnlyList<double> point)
    {
        try
        {
            return _planned.Candidates.At(point);
        }
        catch (MergeException)
        {
            return null;
        }
    }

    // Of one model there is no mean.
    private static bool IsMean(IReadOnlyList<double>? weights) => weights is { Count: > 2 } && weights[^1] == 0
        && weights.SkipLast(1).All(w => Math.Abs((w * (weights.Count - 1)) - 1) < Rounding);
}

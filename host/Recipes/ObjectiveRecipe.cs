namespace Merge.Recipes;

/// <summary>What <c>objective:</c> says: which number is to become large, or small.</summary>
/// <param name="Terms">Metrics and their weights, at least one.</param>
/// <param name="Maximize">Whether the weighted sum should be large.</param>
/// <param name="Constraints">What a winner must keep.</param>
/// <param name="Line">Of the section.</param>
internal sealed record ObjectiveRecipe(
    IReadOnlyList<ObjectiveTerm> Terms, bool Maximize, IReadOnlyList<MetricConstraint> Constraints, int Line)
{
    /// <summary>As a person writes it: <c>maximize accuracy</c>, <c>minimize loss + 0.1 · latency</c>.</summary>
    public override string ToString() => (Maximize ? "maximize " : "minimize ") + string.Join(" + ",
        Terms.Select(t => t.Weight == 1 ? t.Metric : $"{t.Weight:R} · {t.Metric}"));
}

/// <param name="Weight">Finite, not 0.</param>
internal sealed record ObjectiveTerm(string Metric, double Weight);

/// <summary>A bound that a metric has to keep.</summary>
/// <param name="Relation">One of &lt;=, &gt;=, &lt;, &gt;.</param>
internal sealed record MetricConstraint(string Metric, string Relation, double Bound)
{
    /// <summary>False for NaN, too.</summary>
    public bool Holds(double value) => Relation switch
    {
        "<=" => value <= Bound,
        ">=" => value >= Bound,
        "<" => value < Bound,
        _ => value > Bound,
    };

    public override string ToString() => $"{Metric} {Relation} {Bound:R}";
}

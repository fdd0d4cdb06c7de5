using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

/// <summary>What the methods on task vectors share.</summary>
internal static class TaskVectors
{
    /// <summary>Σ in the order given.</summary>
    public static TensorExpr Sum(IReadOnlyList<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

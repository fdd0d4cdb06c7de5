namespace Merge.Testing;

/// <summary>What goes into a merge: checkpoints by tensor name, all with the same names and shapes.</summary>
/// <param name="Models">In the order of the recipe, the base not among them.</param>
public sealed record TestModels(IReadOnlyList<IReadOnlyDictionary<string, TestTensor>> Models)
{
    /// <summary>The base; null: none.</summary>
    public IReadOnlyDictionary<string, TestTensor>? Base { get; init; }

    /// <summary>Side inputs by the name of their attribute: a file for each model (null: none), by tensor name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IReadOnlyDictionary<string, TestTensor>?>> Sides { get; init; } =
        new Dictionary<string, IReadOnlyList<IReadOnlyDictionary<string, TestTensor>?>>();

    /// <summary>What <c>b.Uniform</c> is drawn from.</summary>
    public ulong Seed { get; init; }
}

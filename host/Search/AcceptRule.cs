namespace Merge.Search;

/// <summary>When a model stays in a greedy soup.</summary>
internal enum AcceptRule
{
    /// <summary>The soup scores as good or better with it (the paper's rule).</summary>
    Better,
    /// <summary>The soup scores better with it (the authors' code).</summary>
    Strictly,
    /// <summary>A paired bootstrap over the examples says that the soup is better with it.</summary>
    Significant,
}

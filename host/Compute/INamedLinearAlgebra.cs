using Merge.Sdk;

namespace Merge.Compute;

/// <summary>Linear algebra that says what the bits of its results depend on.</summary>
internal interface INamedLinearAlgebra : ILinearAlgebra
{
    /// <summary>The library, its version and, where its code depends on it, the processor.</summary>
    string Name { get; }
}

using Merge.Sdk;

namespace Merge.Compute;

/// <summary>Linear algebra that says what the bits of its results depend on.</summary>
internal interface INamedLinearAlgebra : ILinearAlgebra
{
    /// <summary>The library, its version and, where its code depends on it, the processor.</summary>
    string Name { get; }

    /// <summary>Whether the process can end while it is at work.</summary>
    bool CanBeLeft { get; }

    /// <summary>Bytes that the decomposition of an m×n matrix takes at most, its result included, the matrix not.</summary>
    long SvdBytes(long rows, long columns);
}

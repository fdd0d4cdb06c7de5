using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// A linear combination of one tensor's values in some checkpoints: Σ c_i x_i, every product and every partial sum
/// rounded, in order; a base, if there is one, is added to the sum last.
/// </summary>
/// <param name="Terms">Indices in <see cref="Combinations.Values"/>, in the order they are added; at least one.</param>
/// <param name="Coefficients">One a term.</param>
/// <param name="Base">Index of what is added last; -1: nothing.</param>
internal sealed record Combination(int[] Terms, float[] Coefficients, int Base = -1);

/// <summary>A value that is combined: an input, or what it differs by from another.</summary>
/// <param name="Slot">The input.</param>
/// <param name="Minus">Index of an earlier value, subtracted; -1: none.</param>
internal readonly record struct CombinedValue(int Slot, int Minus = -1);

/// <summary>Many linear combinations of the same values: a matrix of coefficients times a matrix of checkpoints.</summary>
/// <param name="InputTypes">Stored type of every input.</param>
/// <param name="OutputType">Stored type the results are written in.</param>
/// <param name="Values">What is combined.</param>
/// <param name="Rows">One a result.</param>
internal sealed record Combinations(
    IReadOnlyList<DType> InputTypes,
    DType OutputType,
    IReadOnlyList<CombinedValue> Values,
    IReadOnlyList<Combination> Rows);

using Merge.Sdk;

namespace Merge.Compute;

/// <summary>A matrix to decompose holds a NaN or an infinity; who knows where it came from can say so.</summary>
internal sealed class NonFiniteMatrix(Diagnostic diagnostic) : MergeException(diagnostic);

using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>One candidate of a generation.</summary>
/// <param name="Options">
/// Its options for a tensor that is merged, of the strategy's options type; several threads ask. Candidates that give
/// equal options share the work.
/// </param>
/// <param name="Output">Where its bytes go.</param>
internal sealed record GenerationMember(Func<TensorPlan, object> Options, ITensorSink Output);

/// <summary>What became of a candidate.</summary>
/// <param name="Findings">What its user should know: values that are not finite.</param>
/// <param name="Fault">
/// Why it could not be merged, where that is its own doing (its options, its output); its output is incomplete then.
/// </param>
internal sealed record MergedMember(IReadOnlyList<Diagnostic> Findings, Exception? Fault);

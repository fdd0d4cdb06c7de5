namespace Merge.Merging;

/// <summary>The user has stopped the run while a strategy's code was at work: no fault of that code.</summary>
internal sealed class WorkInterrupted(CancellationToken stop) : OperationCanceledException(stop);

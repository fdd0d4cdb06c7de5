using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>An adapter that is whole, and of a kind that is not read, or without what says its scale.</summary>
/// <param name="file">Its tensors' file.</param>
/// <param name="reasons">Why it is not read.</param>
internal sealed class UnreadAdapterException(string file, IReadOnlyList<Diagnostic> reasons) : MergeException(reasons)
{
    public string File { get; } = file;
}

using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Finds inputs that were written to while they were read: parts of the result would be of two versions.</summary>
internal static class InputsUnchanged
{
    /// <summary>One problem for each file that changed since it was opened.</summary>
    public static IReadOnlyList<Diagnostic> Problems(MergePlan plan) =>
    [
        .. plan.InputFiles.Select(f => f.File).Where(f => f.LastWrite != f.LastWriteNow()).Select(f =>
            new Diagnostic("the file was written to while it was merged")
            {
                Where = f.Path,
                Fix = "Do not change checkpoints during a merge; start again.",
            }),
    ];
}

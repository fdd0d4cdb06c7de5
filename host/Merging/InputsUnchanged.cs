using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Refuses a result whose inputs were written to while they were read: parts of it would be of two versions.</summary>
internal static class InputsUnchanged
{
    public static void Check(MergePlan plan)
    {
        var changed = plan.InputFiles.Select(f => f.File).Where(f => f.LastWrite != f.LastWriteNow()).ToArray();
        if (changed.Length == 0)
            return;
        throw new MergeException([.. changed.Select(f => new Diagnostic("the file was written to while it was merged")
        {
            Where = f.Path,
            Fix = "Do not change checkpoints during a merge; start again.",
        })])
        { WrongUsage = true };
    }
}

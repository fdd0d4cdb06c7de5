namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// What wraps every name where a model was saved within other objects: <c>module.</c> by DataParallel and its like,
/// <c>_orig_mod.</c> by torch.compile, in either order, as often as it was wrapped.
/// </summary>
internal static class WrapperPrefix
{
    private static readonly string[] Known = ["module.", "_orig_mod."];

    /// <summary>The wrappers that every name begins with; empty where there are none.</summary>
    public static string Of(IReadOnlyCollection<string> names)
    {
        var found = "";
        while (names.Count > 0
            && Known.FirstOrDefault(k => names.All(n => n.AsSpan(found.Length).StartsWith(k, StringComparison.Ordinal))) is { } next)
        {
            found += next;
        }
        return found;
    }
}

namespace Merge.Checkpoints;

/// <summary><c>file.pt#key</c>: one of several state dicts that a PyTorch file holds.</summary>
internal static class CheckpointKey
{
    /// <summary>The path and the key behind its last <c>#</c>; null for none, or where a file's own name holds it.</summary>
    public static (string Path, string? Key) Split(string path) =>
        path.LastIndexOf('#') is > 0 and var at && at < path.Length - 1 && !System.IO.Path.Exists(path)
            ? (path[..at], path[(at + 1)..])
            : (path, null);
}

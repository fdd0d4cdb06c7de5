using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>
/// The folder <c>OUT.stages</c> beside an output: what the named merges of its recipe made, a folder each, and beside
/// each the fingerprint of the merge that made it.
/// </summary>
internal sealed class StagesFolder(string final)
{
    private const string Fingerprints = ".fingerprint";

    public string Path { get; } = final + ".stages";

    /// <summary>Whether there is anything a next run can use.</summary>
    public bool HasAny => Directory.Exists(Path) && Directory.EnumerateDirectories(Path).Any();

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Whether just this merge has been made already.</summary>
    public bool IsMade(string name, MergePlan plan) =>
        Directory.Exists(Of(name)) && IsOf(name, Fingerprint.Of(plan));

    /// <summary>Makes room for a merge: what another recipe or other inputs gave goes.</summary>
    public void Begin(string name, MergePlan plan)
    {
        OutputTarget.Check(Of(name), plan, force: true);
        Directory.CreateDirectory(Path);
        var fingerprint = Fingerprint.Of(plan);
        if (IsOf(name, fingerprint))
            return;
        // In this order a folder never stands beside a fingerprint that is not its own, wherever the power is cut.
        File.Delete(Of(name) + Fingerprints);
        FolderSync.Names(Path);
        if (Directory.Exists(Of(name)))
            Directory.Delete(Of(name), recursive: true);
        FolderSync.Names(Path);
        File.WriteAllText(Of(name) + Fingerprints, fingerprint);
    }

    /// <summary>Removes what merges made, those of earlier versions of the recipe too, and nothing else.</summary>
    /// <param name="kept">Names of those that stay.</param>
    public void Remove(IReadOnlyList<string> kept)
    {
        if (!Directory.Exists(Path))
            return;
        foreach (var fingerprint in Directory.GetFiles(Path, "*" + Fingerprints))
        {
            var folder = fingerprint[..^Fingerprints.Length];
            if (kept.Contains(System.IO.Path.GetFileName(folder)))
                continue;
            foreach (var made in new[] { folder, PartialFolder.PathFor(folder) }.Where(Directory.Exists))
                Directory.Delete(made, recursive: true);
            File.Delete(fingerprint);
        }
        if (!Directory.EnumerateFileSystemEntries(Path).Any())
            Directory.Delete(Path);
    }

    /// <summary>All merges are made: the folder gets the output's name. What stood there is replaced.</summary>
    public void Complete(IReadOnlyList<string> names)
    {
        Remove(names);
        var replaced = final + ".replaced";
        if (Directory.Exists(final))
        {
            if (Directory.Exists(replaced))
                Directory.Delete(replaced, recursive: true);
            Directory.Move(final, replaced);
        }
        Directory.Move(Path, final);
        foreach (var name in names)
            File.Delete(System.IO.Path.Combine(final, name + Fingerprints));
        FolderSync.Names(System.IO.Path.GetDirectoryName(final)!);
        if (Directory.Exists(replaced))
            Directory.Delete(replaced, recursive: true);
    }

    private bool IsOf(string name, string fingerprint) =>
        File.Exists(Of(name) + Fingerprints) && File.ReadAllText(Of(name) + Fingerprints) == fingerprint;
}

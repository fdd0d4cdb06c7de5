using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Whether a folder may be made, or replaced, under the name the user gives.</summary>
internal static class OutputTarget
{
    /// <param name="final">The folder.</param>
    /// <param name="plan">What is merged: its inputs must not be in it.</param>
    /// <param name="force">Whether an earlier merge's folder may be replaced.</param>
    /// <param name="parts">The folder is made of these merges, a folder each; null: of one merge.</param>
    public static void Check(string final, MergePlan plan, bool force, IReadOnlyList<string>? parts = null)
    {
        var inputs = plan.Opened.SelectMany(c => c.Files.Select(f => f.Path).Append(c.Path)).Select(Path.GetFullPath);
        var (named, real) = (Path.TrimEndingDirectorySeparator(final), WithoutLinks(final));
        if (inputs.FirstOrDefault(i => IsWithin(i, named) || IsWithin(WithoutLinks(i), real)) is { } input)
        {
            throw Refuse(
                "the output folder holds an input of this merge: " + input, "Give a folder outside the models you merge.");
        }
        if (File.Exists(final))
            throw Refuse("a file stands where the output folder would be", "Give another name, or remove the file.");
        if (!Directory.Exists(final) || !Directory.EnumerateFileSystemEntries(final).Any())
            return;
        if (!force)
            throw Refuse("the output folder exists", "Give another name, or --force to replace it.");
        if (!(parts is null ? IsMade(final) : Directory.EnumerateFileSystemEntries(final).All(
            entry => IsMade(entry) && parts.Contains(Path.GetFileName(entry)))))
        {
            throw Refuse(
                $"the output folder was not made by a merge (it has no {Manifest.FileName}), and --force would delete it",
                "Give another name, or remove the folder yourself.");
        }

        MergeException Refuse(string found, string fix) =>
            new(new Diagnostic(found) { Where = final, Fix = fix }) { WrongUsage = true };
    }

    /// <summary>Whether a folder holds, or is, another; however either is named.</summary>
    public static Func<string, bool> Holds(string inner)
    {
        var real = WithoutLinks(inner);
        return outer => IsWithin(inner, Path.GetFullPath(outer)) || IsWithin(real, WithoutLinks(Path.GetFullPath(outer)));
    }

    /// <summary>Whether two full paths lead to one file, however either is named.</summary>
    public static bool AreSame(string one, string other) => one == other || WithoutLinks(one) == WithoutLinks(other);

    private static bool IsMade(string folder) => File.Exists(Path.Combine(folder, Manifest.FileName));

    private static bool IsWithin(string path, string folder) =>
        path == folder || path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The full path with every symbolic link in it followed.</summary>
    private static string WithoutLinks(string path)
    {
        var root = Path.GetPathRoot(path)!;
        return path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(root, (folder, name) => new FileInfo(Path.Combine(folder, name)).LinkTarget is { } target
                ? WithoutLinks(Path.GetFullPath(target, folder))
                : Path.Combine(folder, name));
    }
}

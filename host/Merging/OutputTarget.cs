using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Whether a folder may be made, or replaced, under the name the user gives.</summary>
internal static class OutputTarget
{
    public static void Check(string final, MergePlan plan, bool force)
    {
        var inputs = plan.InputFiles.Select(f => Path.GetFullPath(f.File.Path));
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
        if (!File.Exists(Path.Combine(final, Manifest.FileName)))
        {
            throw Refuse(
                $"the output folder was not made by a merge (it has no {Manifest.FileName}), and --force would delete it",
                "Give another name, or remove the folder yourself.");
        }

        MergeException Refuse(string found, string fix) =>
            new(new Diagnostic(found) { Where = final, Fix = fix }) { WrongUsage = true };
    }

    private static bool IsWithin(string path, string folder) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

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

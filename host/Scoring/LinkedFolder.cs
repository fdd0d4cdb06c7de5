using Merge.Checkpoints;

namespace Merge.Scoring;

/// <summary>
/// A folder of links to a model's files, made for one evaluation: an evaluator that writes into the folder it is given, or
/// removes it, does not touch the user's model. Small files are copied.
/// </summary>
internal sealed class LinkedFolder : IDisposable
{
    private const long MostCopied = 16L << 20;

    private LinkedFolder(string path) => Path = path;

    public string Path { get; }

    /// <param name="model">The model's folder: the files directly in it.</param>
    /// <param name="path">Where to make it; what an earlier run left there is removed.</param>
    public static LinkedFolder Of(string model, string path)
    {
        try
        {
            var folder = new LinkedFolder(path);
            folder.Dispose();
            Directory.CreateDirectory(path);
            foreach (var file in Directory.EnumerateFiles(model))
            {
                var target = System.IO.Path.Combine(path, System.IO.Path.GetFileName(file));
                if (new FileInfo(file).Length <= MostCopied)
                    File.Copy(file, target);
                else
                    File.CreateSymbolicLink(target, System.IO.Path.GetFullPath(file));
            }
            return folder;
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Writing(path, 0, e, ScoringPlace.FullDisk);
        }
    }

    // What an evaluator still holds open stays until the next time.
    public void Dispose() => OwnFolder.Remove(Path);
}

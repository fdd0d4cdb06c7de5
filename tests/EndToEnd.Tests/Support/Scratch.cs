namespace EndToEnd.Tests.Support;

/// <summary>A temp folder of one test, in which merge runs, too.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("merge-end-to-end-").FullName;

    /// <summary>The full path of something in the folder.</summary>
    public string this[string relative] => Path.Combine(_folder, relative);

    /// <summary>Writes a text file; gives its full path.</summary>
    public string Write(string relative, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[relative])!);
        File.WriteAllText(this[relative], text);
        return this[relative];
    }

    /// <summary>A recipe of equal or given weights, in the file <c>recipe.yaml</c>.</summary>
    public string Recipe(string method, string models, string more = "") => Write(
        "recipe.yaml",
        $"merge_method: {method}\nmodels:\n"
        + string.Concat(models.Split(' ').Select(m => m.Split('=')).Select(m =>
            $"  - model: {m[0]}\n{(m.Length > 1 ? $"    parameters: {{weight: {m[1]}}}\n" : "")}"))
        + more);

    /// <summary>Starts merge with the folder as its working directory.</summary>
    public MergeProcess Start(params string[] arguments) => MergeProcess.Run(_folder, arguments);

    /// <summary>Runs merge to its end.</summary>
    public Outcome Merge(params string[] arguments)
    {
        using var process = Start(arguments);
        return process.Wait();
    }

    /// <summary>Runs merge, which must succeed.</summary>
    public Outcome Succeeds(params string[] arguments)
    {
        var outcome = Merge(arguments);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return outcome;
    }

    /// <summary>Whether merge left anything where a merge is made.</summary>
    public bool HoldsOutput(string name) => Directory.EnumerateFileSystemEntries(_folder, name + "*").Any();

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

using Merge.Planning;
using Merge.Merging;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>The folder of a search: its journal, its report, the best recipe and the model made of it.</summary>
/// <param name="Path">Its full path.</param>
internal sealed record SearchFolder(string Path)
{
    public string Best => System.IO.Path.Combine(Path, "best");

    public string BestRecipe => System.IO.Path.Combine(Path, "best.yaml");

    public string Report => System.IO.Path.Combine(Path, "report.html");

    /// <summary>What was found when it last came to its end.</summary>
    public string Findings => System.IO.Path.Combine(Path, "findings.json");

    public string Journal => System.IO.Path.Combine(Path, TrialJournal.FileName);

    /// <summary>Refuses a folder that holds something else, or a search that nobody asked to go on with.</summary>
    /// <param name="resume">Whether a search that is there is to go on.</param>
    /// <param name="verb">The command, for messages.</param>
    /// <exception cref="MergeException">It cannot be used.</exception>
    public void Check(bool resume, string verb)
    {
        if (File.Exists(Path))
            throw Refuse("a file stands where the folder of the search would be", "Give another name, or remove the file.");
        var isSearch = TrialJournal.IsIn(Path);
        if (isSearch && !resume)
        {
            throw Refuse("there is a search in this folder already",
                $"Go on with it by 'merge {verb} … --resume', or give another folder.");
        }
        if (resume && !isSearch && !File.Exists(Journal))
            throw Refuse("there is no search in this folder to go on with", "Leave out --resume to begin one.");
        if (!File.Exists(Journal) && Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path)
            .Any(e => System.IO.Path.GetFileName(e) != TrialJournal.LockName))
            throw Refuse("the folder exists and holds something else", "Give another name.");
    }

    /// <summary>Refuses a folder within a model, or one that would hold an input.</summary>
    public void CheckInputs(MergePlan plan)
    {
        if (plan.Opened.Select(c => c.Folder).OfType<string>().FirstOrDefault(OutputTarget.Holds(Path)) is { } model)
            throw Refuse($"the folder of the search would be within a model that is merged: {model}", "Give a folder outside the models.");
        OutputTarget.Check(Best, plan, force: true);
    }

    private MergeException Refuse(string found, string fix) =>
        new(new Diagnostic(found) { Where = Path, Fix = fix }) { WrongUsage = true };
}

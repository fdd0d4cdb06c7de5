using System.Text;
using Merge.Checkpoints;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// The trials of a search, one line each, on the disk before the search goes on. The first line says which search it is. A
/// lock beside it, held as long as the process lives, keeps a second search away.
/// </summary>
internal sealed class TrialJournal : IDisposable
{
    public const string FileName = "journal.jsonl";

    public const string LockName = "journal.lock";

    // What .NET gives for a file that is locked (EWOULDBLOCK), and Windows for one that is open.
    private const int LockedOnUnix = 11;
    private const int LockedOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _lock;
    private readonly FileStream _file;

    private TrialJournal(FileStream hold, FileStream file, IReadOnlyList<Trial> trials, IReadOnlyList<Diagnostic> notes) =>
        (_lock, _file, Trials, Notes) = (hold, file, trials, notes);

    /// <summary>What earlier runs have evaluated, in order.</summary>
    public IReadOnlyList<Trial> Trials { get; }

    /// <summary>What was found and dropped when it was opened.</summary>
    public IReadOnlyList<Diagnostic> Notes { get; }

    /// <summary>Starts a journal, or takes one up.</summary>
    /// <param name="folder">Of the search; made where it is not there.</param>
    /// <param name="identity">Of the search at hand.</param>
    /// <param name="names">Of a point's values.</param>
    /// <param name="objective">What makes metrics a trial's score.</param>
    /// <param name="models">The models' names, for whoever reads it; empty: none are given.</param>
    /// <exception cref="MergeException">It is another search's, is in use, was changed by hand, or cannot be written.</exception>
    public static TrialJournal Open(
        string folder, IReadOnlyList<(string Item, string Value)> identity, IReadOnlyList<string> names, Objective objective,
        params IReadOnlyList<string> models)
    {
        var hold = Lock(folder);
        FileStream? file = null;
        try
        {
            // Unbuffered: what a full disk refused must not be tried again when the file is closed.
            file = new FileStream(
                Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            var notes = new List<Diagnostic>();
            var content = JournalText.Read(file, Path.Combine(folder, FileName), notes);
            // Without trials there is nothing to lose.
            if (content is null or { Trials.Count: 0 })
            {
                file.SetLength(0);
                Write(file, [JournalText.Header(identity, names, models)]);
                return new(hold, file, [], notes);
            }
            if (JournalText.Differences(content.Identity, identity) is { Count: > 0 } differences)
                throw Other(folder, differences);
            JournalScores.Check(content.Trials, objective, file.Name);
            var kept = Kept(content, notes, folder);
            file.SetLength(content.EndOf(kept));
            file.Seek(0, SeekOrigin.End);
            return new(hold, file, [.. content.Trials.Take(kept)], notes);
        }
        catch (Exception fault)
        {
            file?.Dispose();
            hold.Dispose();
            if (FileProblem.Is(fault))
                throw FileProblem.Writing(Path.Combine(folder, FileName), 0, fault, ScoringPlace.FullDisk);
            throw;
        }
    }

    /// <summary>Whether a folder holds a journal with trials.</summary>
    public static bool IsIn(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return false;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadLine() is not null && reader.ReadLine() is not null;
    }

    /// <summary>The trials of a journal, without taking it up; another process may be writing it.</summary>
    /// <exception cref="MergeException">There is none, or it cannot be read.</exception>
    public static JournalContent Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new MergeException(new Diagnostic($"there is no search here: it has no {FileName}")
            {
                Where = folder,
                Fix = "Give the folder that 'merge search' or 'merge soup' wrote.",
            })
            { WrongUsage = true };
        }
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var content = JournalText.Read(file, path, []) ?? throw JournalText.Damaged(path, 1, "the first line is cut");
            JournalScores.Check(content.Trials, JournalScores.ObjectiveOf(content, path), path);
            return content;
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Reading(path, fault);
        }
    }

    /// <summary>Adds trials; they are on the disk when it returns.</summary>
    public void Add(IReadOnlyList<Trial> trials) => Write(_file, [.. trials.Select(JournalText.Line)]);

    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    private static void Write(FileStream file, IReadOnlyList<string> lines)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));
        var end = file.Position;
        try
        {
            file.Write(bytes);
            DiskSync.Flush(file);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            // A part of the line may be there: without it the journal ends with a whole trial.
            file.SetLength(end);
            throw FileProblem.Writing(file.Name, 0, fault, ScoringPlace.FullDisk);
        }
    }

    // The kernel gives the lock up when its process ends, however it ends.
    private static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, LockName);
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception fault) when (FileProblem.Is(fault) && fault is not IOException { HResult: LockedOnUnix or LockedOnWindows })
        {
            throw FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk);
        }
        catch (IOException fault)
        {
            throw new MergeException(
                new Diagnostic("another merge is at work on this search")
                {
                    Where = folder,
                    Fix = "Wait for it or stop it, or search in another folder.",
                },
                fault);
        }
    }

    /// <summary>How many trials count: evaluations that failed last are tried again.</summary>
    private static int Kept(JournalContent content, List<Diagnostic> notes, string folder)
    {
        var kept = content.Trials.Count;
        while (kept > 0 && content.Trials[kept - 1].IsBroken)
            kept--;
        if (kept < content.Trials.Count)
        {
            notes.Add(new Diagnostic($"the last {content.Trials.Count - kept} evaluations of the journal failed: they are tried again")
            {
                Severity = Severity.Warning,
                Where = Path.Combine(folder, FileName),
            });
        }
        return kept;
    }

    private static MergeException Other(string folder, IReadOnlyList<Diagnostic> differences) => new(
    [
        new Diagnostic("the journal is of another search: its trials would not be this one's")
        {
            Where = Path.Combine(folder, FileName),
            Fix = "Search in another folder, or undo the change.",
        },
        .. differences,
    ])
    { WrongUsage = true };
}

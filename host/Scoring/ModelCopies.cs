using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>
/// Copies of models that are there already, each for one evaluation: an evaluator may write into the folder it is given, or
/// remove it, and the user's model stays as it is. They are made where candidates wait and bounded as those are.
/// </summary>
/// <param name="place">Where they are made.</param>
/// <param name="most">How many there may be at once.</param>
internal sealed class ModelCopies(CandidatePlace place, int most)
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Turn)> _waiting = [];
    private long _bytes;
    private int _count;

    /// <summary>Waits for room, then copies the files directly in a folder, without what belongs to its training.</summary>
    /// <exception cref="MergeException">It never fits.</exception>
    /// <exception cref="IOException">It cannot be read or copied.</exception>
    /// <exception cref="OperationCanceledException">Nobody wants it any more.</exception>
    public async Task<ModelCopy> Of(string model, CancellationToken cancellation)
    {
        FileInfo[] files = [.. new DirectoryInfo(model).GetFiles().Where(f => !CopiedFiles.IsTrainingState(f.Name))];
        // Of a link, what it leads to: that is what arrives.
        var size = files.Sum(f => ((FileInfo?)f.ResolveLinkTarget(returnFinalTarget: true) ?? f).Length);
        if (size > place.Room)
        {
            throw new MergeException(new Diagnostic($"its files take {DiskSpace.Text(size)}, and candidates may take "
                + $"{DiskSpace.Text(place.Room)} ({place.Place})"));
        }
        await Take(size, cancellation).ConfigureAwait(false);
        var copy = new ModelCopy(place.NewFolder(), () => Free(size));
        try
        {
            await Task.Run(() => Copy(files, copy.Path, cancellation), cancellation).ConfigureAwait(false);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static void Copy(FileInfo[] files, string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            // Where the file system can, this shares the blocks until one of the two is written to.
            file.CopyTo(Path.Combine(folder, file.Name));
        }
    }

    private async Task Take(long bytes, CancellationToken cancellation)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiting.Enqueue((bytes, turn));
        using var given = cancellation.UnsafeRegister(_ => turn.TrySetCanceled(cancellation), null);
        Next();
        await turn.Task.ConfigureAwait(false);
    }

    private void Free(long bytes)
    {
        lock (_gate)
            (_bytes, _count) = (_bytes - bytes, _count - 1);
        Next();
    }

    // In their order: a large one is not passed by until there is nothing left but it.
    private void Next()
    {
        lock (_gate)
        {
            while (_waiting.TryPeek(out var next) && _count < most && _bytes + next.Bytes <= place.Room)
            {
                _waiting.Dequeue();
                if (next.Turn.TrySetResult())
                    (_bytes, _count) = (_bytes + next.Bytes, _count + 1);
            }
        }
    }
}

/// <summary>A folder with a copy of a model, removed when it is disposed.</summary>
internal sealed class ModelCopy(string path, Action freed) : IDisposable
{
    private int _isDisposed;

    public string Path => path;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        OwnFolder.Remove(path);
        freed();
    }
}

namespace Merge.Search;

/// <summary>Where a search stands: raised by the search, read by a terminal.</summary>
internal sealed class SearchProgress
{
    private int _done;
    private int _failed;
    private Trial? _best;

    /// <summary>Trials there will be; 0 where that is not known.</summary>
    public int Total { get; set; }

    /// <summary>What is done when the trials are over; null while they run.</summary>
    public string? Stage { get; set; }

    /// <summary>Trials taken over from the journal.</summary>
    public int Resumed { get; private set; }

    /// <summary>Whether an end now is one that <c>--resume</c> helps against.</summary>
    public bool CanGoOn { get; set; } = true;

    public int Done => Volatile.Read(ref _done);

    public int Failed => Volatile.Read(ref _failed);

    public Trial? Best => Volatile.Read(ref _best);

    /// <summary>Counts a trial; one thread at a time.</summary>
    public void Add(Trial trial, bool isResumed)
    {
        if (trial.Objective is null)
            _failed++;
        if (trial.Objective > (_best?.Objective ?? double.NegativeInfinity))
            Volatile.Write(ref _best, trial);
        if (isResumed)
            Resumed++;
        Volatile.Write(ref _done, _done + 1);
    }
}

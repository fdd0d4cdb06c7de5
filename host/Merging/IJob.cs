namespace Merge.Merging;

/// <summary>Work done phase after phase; within a phase any worker may take any part.</summary>
internal interface IJob
{
    /// <summary>The next phase, or null when the job is done. Called by one thread at a time, after the phase before.</summary>
    Phase? Next();
}

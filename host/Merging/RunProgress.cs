namespace Merge.Merging;

/// <summary>Counters that workers raise and a terminal reads while the run goes on.</summary>
internal sealed class RunProgress
{
    private long _bytesRead;
    private long _bytesWritten;
    private int _tensorsDone;
    private long _work;
    private long _workDone;

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    public int TensorsDone => Volatile.Read(ref _tensorsDone);

    /// <summary>Work to do in all, in any unit, where bytes do not tell: what takes an unknown number of passes. 0: bytes do.</summary>
    public long Work => Interlocked.Read(ref _work);

    public long WorkDone => Interlocked.Read(ref _workDone);

    /// <summary>Tensors found finished by an earlier, interrupted run.</summary>
    public int TensorsResumed { get; set; }

    /// <summary>Where an unfinished run left what the next one goes on from; null where there is nothing.</summary>
    public string? KeptIn { get; set; }

    public void Read(long bytes) => Interlocked.Add(ref _bytesRead, bytes);

    public void Wrote(long bytes) => Interlocked.Add(ref _bytesWritten, bytes);

    public void Expect(long work) => Interlocked.Add(ref _work, work);

    public void Finish(long work) => Interlocked.Add(ref _workDone, work);

    public void FinishedTensor() => Interlocked.Increment(ref _tensorsDone);
}

using System.Runtime.CompilerServices;

namespace Merge.Sdk;

/// <summary>
/// A statistic that was asked for and is computed at the next await, in one sweep with all others that are pending.
/// </summary>
/// <typeparam name="T">What it gives.</typeparam>
public sealed class Stat<T>
{
    private readonly List<Action> _continuations = [];
    private T _value = default!;
    private Exception? _fault;
    private bool _done;

    internal Stat()
    {
    }

    /// <summary>Used by <c>await</c>.</summary>
    public Awaiter GetAwaiter() => new(this);

    internal void Complete(T value)
    {
        _value = value;
        Finish();
    }

    internal void Fail(Exception fault)
    {
        _fault = fault;
        Finish();
    }

    internal void OnCompleted(Action continuation)
    {
        if (_done)
            continuation();
        else
            _continuations.Add(continuation);
    }

    private void Finish()
    {
        _done = true;
        foreach (var continuation in _continuations)
            continuation();
        _continuations.Clear();
    }

    /// <summary>Used by <c>await</c>.</summary>
    public readonly struct Awaiter : ICriticalNotifyCompletion
    {
        private readonly Stat<T> _stat;

        internal Awaiter(Stat<T> stat) => _stat = stat;

        /// <summary>Whether the value is known.</summary>
        public bool IsCompleted => _stat._done;

        /// <summary>The value.</summary>
        public T GetResult() => _stat._fault is { } fault ? throw fault
            : _stat._done ? _stat._value
            : throw MergeException.Plugin(
                "the value of a statistic is taken before it was computed",
                fix: "Await it: only at an await are pending statistics computed.");

        /// <summary>Used by <c>await</c>.</summary>
        public void OnCompleted(Action continuation) => _stat.OnCompleted(continuation);

        /// <summary>Used by <c>await</c>.</summary>
        public void UnsafeOnCompleted(Action continuation) => _stat.OnCompleted(continuation);
    }
}

/// <summary>Statistics awaited together.</summary>
public static class Stat
{
    /// <summary>Gives the values of all, in order.</summary>
    public static Stat<T[]> All<T>(IEnumerable<Stat<T>> stats)
    {
        Stat<T>[] parts = [.. stats];
        var all = new Stat<T[]>();
        var missing = parts.Length;
        if (missing == 0)
            all.Complete([]);
        foreach (var part in parts)
        {
            part.OnCompleted(() =>
            {
                if (--missing > 0)
                    return;
                try
                {
                    all.Complete([.. parts.Select(p => p.GetAwaiter().GetResult())]);
                }
                catch (Exception fault)
                {
                    all.Fail(fault);
                }
            });
        }
        return all;
    }
}

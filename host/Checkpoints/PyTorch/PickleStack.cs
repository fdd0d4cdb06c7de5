namespace Merge.Checkpoints.PyTorch;

/// <summary>What a pickle's opcodes work on: a stack with marks in it, and numbered places to put values by.</summary>
internal sealed class PickleStack(PickleStream stream, PickleBudget budget)
{
    private readonly List<object?> _values = [];
    private readonly List<int> _marks = [];
    private readonly List<object?> _memo = [];
    private int _highest;

    // Not in the memo: null is a value.
    private static readonly object Nothing = new();

    private int Bottom => _marks.Count == 0 ? 0 : _marks[^1];

    public void Push(object? value)
    {
        _values.Add(value);
        Count();
    }

    public object? Pop()
    {
        var value = Peek();
        _values.RemoveAt(_values.Count - 1);
        return value;
    }

    public object? Peek() => _values.Count > Bottom ? _values[^1] : throw Wrong("takes a value, and there is none");

    public void Mark()
    {
        _marks.Add(_values.Count);
        Count();
    }

    /// <summary>Takes what was pushed since the last mark, and the mark.</summary>
    public object?[] PopMark()
    {
        if (_marks.Count == 0)
            throw Wrong("goes back to a mark, and there is none");
        var bottom = Bottom;
        var values = new object?[_values.Count - bottom];
        budget.Take(8 * values.Length);
        _values.CopyTo(bottom, values, 0, values.Length);
        _values.RemoveRange(bottom, values.Length);
        _marks.RemoveAt(_marks.Count - 1);
        return values;
    }

    /// <summary>Takes the topmost value, or the mark where that is topmost.</summary>
    public void Drop()
    {
        if (_values.Count > Bottom)
            _values.RemoveAt(_values.Count - 1);
        else
            PopMark();
    }

    /// <summary>The next free number of the memo.</summary>
    public uint Next { get; private set; }

    public void Put(uint number)
    {
        var value = Peek();
        Next++;
        if (number >= _memo.Count)
        {
            // Picklers count up: there are never more numbers than bytes, and a gap takes memory, too.
            if (number > stream.Passed)
                throw Wrong($"numbers a value {number} among its first {stream.Passed} bytes");
            budget.Take(8L * (number + 1L - _memo.Count));
            while (_memo.Count <= number)
                _memo.Add(Nothing);
        }
        _memo[(int)number] = value;
    }

    public object? Get(uint number) => number < _memo.Count && _memo[(int)number] != Nothing
        ? _memo[(int)number]
        : throw Wrong($"takes the value numbered {number}, and there is none");

    private void Count()
    {
        if (_values.Count + _marks.Count <= _highest)
            return;
        budget.Take(16);
        _highest = _values.Count + _marks.Count;
    }

    private Merge.Sdk.MergeException Wrong(string found) => stream.Problem($"the pickle {found}", null, stream.Position);
}

using System.Numerics;

namespace Merge.Checkpoints.PyTorch;

// What a pickle can become here: null, bool, long, BigInteger, double, string, byte[], object?[] (a tuple),
// List<object?>, and the classes below. They may contain themselves, so none compares, hashes or prints its content.

/// <summary>A class or function the pickle names: a name, and nothing that could be called.</summary>
internal sealed class PickleName(string module, string name, KnownName known)
{
    public string FullName { get; } = $"{module}.{name}";

    public KnownName Known { get; } = known;
}

/// <summary>A dict of any kind, in the order its keys were first set.</summary>
internal sealed class PickleDict
{
    private readonly List<(object? Key, object? Value)> _items = [];
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    public IReadOnlyList<(object? Key, object? Value)> Items => _items;

    /// <summary>A key set again keeps its place. Keys that are neither texts nor integers are not compared.</summary>
    public void Set(object? key, object? value)
    {
        if (key is string text)
            Place(_texts, text, key, value);
        else if (key is long or BigInteger)
            Place(_numbers, $"{key}", key, value);
        else
            _items.Add((key, value));
    }

    public object? Find(string key) => _texts.TryGetValue(key, out var at) ? _items[at].Value : null;

    public bool Has(string key) => _texts.ContainsKey(key);

    public object? Find(long key) => _numbers.TryGetValue($"{key}", out var at) ? _items[at].Value : null;

    // Texts as keys of numbers, too: their hashes are random, so that no file can choose keys that collide.
    private void Place(Dictionary<string, int> places, string place, object? key, object? value)
    {
        if (places.TryAdd(place, _items.Count))
            _items.Add((key, value));
        else
            _items[places[place]] = (key, value);
    }
}

/// <summary>An object of a class that is known and of no use here: what it was made of, as it stands in the pickle.</summary>
internal sealed class PickleObject(PickleName type, object?[] arguments)
{
    public PickleName Type { get; } = type;

    public object?[] Arguments { get; } = arguments;

    /// <summary>What would have been given to its <c>__setstate__</c> or put into its <c>__dict__</c>.</summary>
    public object? State { get; set; }

    /// <summary>What was set or appended to it.</summary>
    public PickleDict Items { get; } = new();

    /// <summary>A field of a dataclass or of any object that keeps its fields in <c>__dict__</c>.</summary>
    public object? Field(string name) => (State as PickleDict)?.Find(name);
}

/// <summary>A run of elements outside the pickle.</summary>
/// <param name="Key">The name it has in the file.</param>
/// <param name="Type">The element type; U8 where the storage knows none.</param>
/// <param name="Start">The first element, within what the key names.</param>
/// <param name="Count">How many elements.</param>
internal sealed record PickleStorage(string Key, StorageType Type, long Start, long Count);

/// <summary>A tensor as the pickle describes it: a view of a storage, checked to lie within it.</summary>
/// <param name="Offset">Its first element, of its own type, from the storage's start.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Strides">Elements from one index to the next, a dimension each; not negative.</param>
internal sealed class PickleTensor(PickleStorage storage, StorageType type, long offset, long[] shape, long[] strides)
{
    public PickleStorage Storage { get; } = storage;

    public StorageType Type { get; } = type;

    public long Offset { get; } = offset;

    public long[] Shape { get; } = shape;

    public long[] Strides { get; } = strides;

    public long Count => Shape.Aggregate(1L, (n, size) => n * size);
}

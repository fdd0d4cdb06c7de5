namespace Merge.Sdk;

/// <summary>A parameter with a value for each model, in the order of the recipe (the base is not counted).</summary>
/// <typeparam name="T">The parameter's type.</typeparam>
public readonly struct PerModel<T>
{
    private readonly T _every;
    private readonly T[]? _each;

    private PerModel(T every, T[]? each)
    {
        _every = every;
        _each = each;
    }

    /// <summary>The same value for every model.</summary>
    public static implicit operator PerModel<T>(T every) => new(every, null);

    /// <summary>One value a model.</summary>
    public PerModel(params IReadOnlyList<T> each)
        : this(default!, [.. each])
    {
    }

    /// <summary>The value for a model; index from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not one of a model.</exception>
    public T this[int model]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(model);
            if (_each is null)
                return _every;
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(model, _each.Length);
            return _each[model];
        }
    }

    /// <summary>The values for <paramref name="models"/> models.</summary>
    public IReadOnlyList<T> ToList(int models)
    {
        var values = new T[models];
        for (var i = 0; i < models; i++)
            values[i] = this[i];
        return values;
    }
}

namespace Merge.Sdk;

/// <summary>One merge that is to be scored. It lives until its evaluation returns.</summary>
public abstract class Candidate
{
    private protected Candidate(string id, IReadOnlyDictionary<string, double> values) => (Id, Values) = (id, values);

    /// <summary>Names what is scored: equal for equal weights made by the same recipe, else different.</summary>
    public string Id { get; }

    /// <summary>What the search chose, by the names of its dimensions; empty where nothing is searched.</summary>
    public IReadOnlyDictionary<string, double> Values { get; }

    /// <summary>Its tensors, in the order of the output.</summary>
    public abstract IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The values of one tensor, row-major, decoded to float32; integers and bools too.</summary>
    /// <param name="tensor">Its name.</param>
    /// <param name="into">As many elements as the tensor has.</param>
    /// <exception cref="MergeException">There is no such tensor, or <paramref name="into"/> has another length.</exception>
    public abstract void Read(string tensor, Span<float> into);
}

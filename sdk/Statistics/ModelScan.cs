namespace Merge.Sdk;

/// <summary>The whole model, for statistics that no single tensor can give.</summary>
public abstract class ModelScan
{
    private protected ModelScan(IReadOnlyList<TensorScan> scans)
    {
        ElementCount = scans.Sum(s => s.Info.Count);
        ModelCount = scans.Count == 0 ? 0 : scans[0].ModelCount;
        HasBase = scans.Count > 0 && scans[0].HasBase;
        Scans = scans;
    }

    /// <summary>Number of elements of all tensors.</summary>
    public long ElementCount { get; }

    /// <summary>How many models there are, the base not counted.</summary>
    public int ModelCount { get; }

    /// <summary>Whether there is a base.</summary>
    public bool HasBase { get; }

    internal List<ModelRequest> Pending { get; } = [];

    internal IReadOnlyList<TensorScan> Scans { get; }
}

/// <summary>One tensor of a survey and its options.</summary>
/// <typeparam name="TOptions">The strategy's options record.</typeparam>
/// <param name="Scan">The tensor: statistics asked of it are computed at the next await of the survey.</param>
/// <param name="Options">Its options, final.</param>
public sealed record SurveyedTensor<TOptions>(TensorScan Scan, TOptions Options);

/// <summary>The whole model, for statistics that no single tensor can give.</summary>
/// <typeparam name="TOptions">The strategy's options record.</typeparam>
public sealed class ModelScan<TOptions> : ModelScan
{
    internal ModelScan(IReadOnlyList<SurveyedTensor<TOptions>> tensors)
        : base([.. tensors.Select(t => t.Scan)]) => Tensors = tensors;

    /// <summary>Every tensor that is merged, ordered by name (ordinal).</summary>
    public IReadOnlyList<SurveyedTensor<TOptions>> Tensors { get; }

    /// <summary>The cut that keeps exactly the <paramref name="keep"/> largest scores of the whole model.</summary>
    /// <param name="score">The score of a tensor; null leaves the tensor out (nothing of it is kept).</param>
    /// <param name="keep">How many elements of all tensors together.</param>
    public Stat<ModelCut> Largest(Func<SurveyedTensor<TOptions>, Func<Block, TensorExpr>?> score, long keep)
    {
        if (keep < 0)
            throw MergeException.Plugin($"the {keep} largest of the model are asked for", expected: "0 or more");
        var scores = new List<(TensorScan, Node)>();
        foreach (var tensor in Tensors)
        {
            if (score(tensor) is { } expression)
                scores.Add((tensor.Scan, tensor.Scan.Record(expression)));
        }
        var request = new ModelLargestRequest(scores, keep);
        Pending.Add(request);
        return request.Stat;
    }
}

using System.Collections.Concurrent;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>A candidate while its generation is merged; several threads work for it.</summary>
internal sealed class GenerationCandidate(GenerationMember member)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentQueue<(int Tensor, Diagnostic Finding)> _findings = new();
    private int _faultyTensor = int.MaxValue;
    private volatile Exception? _fault;

    public GenerationMember Member => member;

    /// <summary>Null where the method has none.</summary>
    public Survey? Survey { get; set; }

    /// <summary>Whether nothing needs to be done for it any more.</summary>
    public bool HasFailed => _fault is not null;

    /// <summary>Notes why it cannot be merged; of several reasons that of the first tensor counts.</summary>
    public void Fail(int tensor, Exception fault)
    {
        lock (_lock)
        {
            if (tensor < _faultyTensor)
                (_faultyTensor, _fault) = (tensor, fault);
        }
    }

    public void Find(int tensor, Diagnostic finding) => _findings.Enqueue((tensor, finding));

    public MergedMember Result() => new([.. _findings.OrderBy(f => f.Tensor).Select(f => f.Finding)], _fault);
}

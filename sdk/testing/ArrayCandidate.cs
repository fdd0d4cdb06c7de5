using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Testing;

/// <summary>A candidate whose tensors are arrays.</summary>
internal sealed class ArrayCandidate(IReadOnlyDictionary<string, TestTensor> tensors)
    : Candidate("test", ImmutableDictionary<string, double>.Empty)
{
    public override IReadOnlyList<TensorInfo> Tensors { get; } =
        [.. tensors.Select(t => new TensorInfo(t.Key, [.. t.Value.Shape], TensorKind.Weight, null))];

    public override void Read(string tensor, Span<float> into)
    {
        if (!tensors.TryGetValue(tensor, out var found))
        {
            throw new MergeException(new Diagnostic($"the candidate has no tensor '{tensor}'")
            {
                Expected = $"one of {string.Join(", ", tensors.Keys)}",
            });
        }
        if (found.Values.Length != into.Length)
        {
            throw new MergeException(new Diagnostic($"'{tensor}' is read into {into.Length} elements")
            {
                Expected = $"{found.Values.Length}",
            });
        }
        found.Values.CopyTo(into);
    }
}

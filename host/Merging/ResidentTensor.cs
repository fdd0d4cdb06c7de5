using Merge.Checkpoints;

namespace Merge.Merging;

/// <summary>A tensor whose stored bytes are in memory, read in place.</summary>
/// <param name="Source">Where they came from.</param>
/// <param name="Address">Where they are.</param>
internal sealed record ResidentTensor(TensorSource Source, nint Address)
    : TensorSource(Source.Name, Source.DType, Source.Shape, Source.Length)
{
    public override IEnumerable<CheckpointFile> Files => Source.Files;

    public override unsafe void Read(long start, Span<byte> into) =>
        new ReadOnlySpan<byte>((void*)(Address + (nint)start), into.Length).CopyTo(into);
}

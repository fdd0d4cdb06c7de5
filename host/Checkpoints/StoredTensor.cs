using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>A tensor and where its bytes lie; the header it comes from has been checked.</summary>
/// <param name="File">The file that holds it.</param>
/// <param name="Offset">Its first byte, from the start of the file.</param>
internal sealed record StoredTensor(
    string Name, DType DType, ImmutableArray<long> Shape, CheckpointFile File, long Offset, long Length)
    : TensorSource(Name, DType, Shape, Length)
{
    public override IEnumerable<CheckpointFile> Files => [File];

    public override void Read(long start, Span<byte> into) => File.Read(Offset + start, into);
}

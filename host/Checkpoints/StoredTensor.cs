using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>A tensor and where its bytes lie; the header it comes from has been checked.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="DType">How its elements are stored.</param>
/// <param name="Shape">Sizes, outermost first; empty for a 0-dim tensor. Their product fits a <c>long</c>.</param>
/// <param name="File">The file that holds it.</param>
/// <param name="Offset">Its first byte, from the start of the file.</param>
/// <param name="Length">Its bytes: those its dtype and shape need.</param>
internal sealed record StoredTensor(
    string Name, DType DType, ImmutableArray<long> Shape, CheckpointFile File, long Offset, long Length);

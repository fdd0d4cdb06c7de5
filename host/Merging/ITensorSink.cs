using Merge.Planning;

namespace Merge.Merging;

/// <summary>Where merged bytes go.</summary>
internal interface ITensorSink
{
    /// <summary>Writes a part of a tensor; several threads write at once.</summary>
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="offset">Bytes from the tensor's start.</param>
    /// <param name="bytes">The part.</param>
    void Write(string tensor, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>All parts of the tensor are written; its inputs' checksums are known.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="checksum">CRC-32C of its output bytes.</param>
    void Finish(TensorPlan tensor, uint checksum);
}

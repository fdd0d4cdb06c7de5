namespace Merge.Compute;

/// <summary>Memory of the host that a device reaches fastest.</summary>
internal interface IHostMemory
{
    /// <summary>Aligned to 64 bytes at least, its content unknown.</summary>
    nint Allocate(long bytes);

    void Free(nint address);
}

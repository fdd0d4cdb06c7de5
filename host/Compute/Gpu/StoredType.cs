using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>How the fixed kernels tell stored numbers apart.</summary>
internal static class StoredType
{
    public static int Of(DType type) => type switch
    {
        DType.F32 => 0,
        DType.BF16 => 1,
        DType.F16 => 2,
        DType.F64 => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is not merged"),
    };
}

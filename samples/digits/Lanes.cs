using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Merge.Samples.Digits;

/// <summary>
/// Eight floats, side by side. The number is fixed, products are never fused with sums and the order of every sum is
/// written down, so that training gives the same bits on every machine.
/// </summary>
internal static class Lanes
{
    public const int Width = 8;

    public static int RoundUp(int count) => (count + Width - 1) / Width * Width;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> At(float[] values, int index) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(values), (nuint)index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(Vector256<float> lanes, float[] values, int index) =>
        lanes.StoreUnsafe(ref MemoryMarshal.GetArrayDataReference(values), (nuint)index);

    public static float Sum(Vector256<float> lanes)
    {
        var four = lanes.GetLower() + lanes.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}

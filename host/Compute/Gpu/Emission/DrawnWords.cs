using Merge.Compute.Cpu;
using Lanes = Merge.Compute.Gpu.Emission.SymbolLanes;

namespace Merge.Compute.Gpu.Emission;

/// <summary>What <see cref="Philox.Words"/> computes, as instructions.</summary>
internal static class DrawnWords
{
    public static Whole[] Of(Whole counterLow, Whole counterHigh, Whole stream, Whole keyLow, Whole keyHigh)
    {
        var (x, y, z, w) = (counterLow, counterHigh, stream, Whole.Of(0));
        var (a, b) = (keyLow, keyHigh);
        var (multiplierA, multiplierB) = (Whole.Of(unchecked((int)Philox.MultiplierA)), Whole.Of(unchecked((int)Philox.MultiplierB)));
        for (var round = 0; round < Philox.Rounds; round++)
        {
            var (high, low) = (Lanes.MultiplyHigh(multiplierA, x), Lanes.Multiply(multiplierA, x));
            var (otherHigh, otherLow) = (Lanes.MultiplyHigh(multiplierB, z), Lanes.Multiply(multiplierB, z));
            (x, y, z, w) = (Lanes.Xor(Lanes.Xor(otherHigh, y), a), otherLow, Lanes.Xor(Lanes.Xor(high, w), b), low);
            a = Lanes.Add(a, Whole.Of(unchecked((int)Philox.WeylA)));
            b = Lanes.Add(b, Whole.Of(unchecked((int)Philox.WeylB)));
        }
        return [x, y, z, w];
    }
}

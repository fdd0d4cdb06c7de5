using System.Runtime.InteropServices;

namespace Merge.Compute.Lapack;

/// <summary>Numbers that LAPACK works on, freed when it has: left to the collector, as much again would lie beside them.</summary>
internal readonly unsafe struct NativeNumbers(long count) : IDisposable
{
    public double* Address { get; } = (double*)NativeMemory.Alloc((nuint)count, sizeof(double));

    public static NativeNumbers CopyOf(double[] values)
    {
        var copy = new NativeNumbers(values.LongLength);
        values.CopyTo(new Span<double>(copy.Address, values.Length));
        return copy;
    }

    public void Dispose() => NativeMemory.Free(Address);
}

using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Host.Tests.Planning;

/// <summary>A tensor to be written into a checkpoint of a test.</summary>
internal sealed record TestTensor(string Name, DType DType, long[] Shape, byte[] Bytes)
{
    /// <summary>float32, one dimension.</summary>
    public static TestTensor Of(string name, params float[] values) =>
        new(name, DType.F32, [values.Length], MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>Any dtype and shape; its bytes count up from 1.</summary>
    public static TestTensor Shaped(string name, DType dtype, params long[] shape)
    {
        var bytes = shape.Aggregate(1L, (a, b) => a * b) * dtype.Bits() / 8;
        return new(name, dtype, shape, [.. Enumerable.Range(1, (int)bytes).Select(i => (byte)(i % 64))]);
    }
}

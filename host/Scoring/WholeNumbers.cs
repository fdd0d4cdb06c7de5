using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>Stored integers and bools as float32: large ones are rounded.</summary>
internal static class WholeNumbers
{
    /// <param name="type">An integer type, or bool.</param>
    /// <param name="bytes">Whole elements.</param>
    /// <param name="into">As many.</param>
    /// <exception cref="MergeException">The type is neither.</exception>
    public static void Decode(DType type, ReadOnlySpan<byte> bytes, Span<float> into)
    {
        for (var i = 0; i < into.Length; i++)
        {
            into[i] = type switch
            {
                DType.Bool or DType.U8 => bytes[i],
                DType.I8 => (sbyte)bytes[i],
                DType.I16 => MemoryMarshal.Cast<byte, short>(bytes)[i],
                DType.U16 => MemoryMarshal.Cast<byte, ushort>(bytes)[i],
                DType.I32 => MemoryMarshal.Cast<byte, int>(bytes)[i],
                DType.U32 => MemoryMarshal.Cast<byte, uint>(bytes)[i],
                DType.I64 => MemoryMarshal.Cast<byte, long>(bytes)[i],
                DType.U64 => MemoryMarshal.Cast<byte, ulong>(bytes)[i],
                _ => throw new MergeException(new Diagnostic($"tensors of type {type} cannot be read as numbers")),
            };
        }
    }
}

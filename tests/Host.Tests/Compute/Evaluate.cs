using System.Runtime.InteropServices;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

/// <summary>Runs expressions over arrays.</summary>
internal static unsafe class Evaluate
{
    public const ulong Seed = 7;

    public static TensorScan Scan(int models, params long[] shape) =>
        new(new TensorInfo("block.weight", [.. shape], TensorKind.Weight, 0), models, true, (_, _) => true, null!);

    public static CpuCompiler Interpreter { get; } = new(0, 0);

    public static CpuCompiler Compiler(int width) => new(width, 0);

    /// <summary>Bytes of the values as the type stores them.</summary>
    public static byte[] Store(float[] values, DType type)
    {
        var bytes = new byte[values.Length * type.Bits() / 8];
        for (var i = 0; i < values.Length; i++)
        {
            switch (type)
            {
                case DType.F32:
                    BitConverter.TryWriteBytes(bytes.AsSpan(i * 4), values[i]);
                    break;
                case DType.F64:
                    BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), (double)values[i]);
                    break;
                case DType.F16:
                    BitConverter.TryWriteBytes(bytes.AsSpan(i * 2), (Half)values[i]);
                    break;
                default:
                    BitConverter.TryWriteBytes(bytes.AsSpan(i * 2), (ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16));
                    break;
            }
        }
        return bytes;
    }

    /// <summary>The roots' bytes, evaluated in parts that end at <paramref name="ends"/>.</summary>
    public static byte[][] Run(
        ICompiler compiler, TensorScan scan, Func<InputKey, (DType Type, byte[] Bytes)> input,
        IReadOnlyList<(Node Root, DType Type)> roots, params long[] ends)
    {
        var recording = Recording.Of(scan.Info, [.. roots.Select(r => r.Root)]);
        var streams = recording.Inputs.Select(input).ToArray();
        var kernel = compiler.Compile(
            recording, [.. streams.Select(s => s.Type)], [.. roots.Select(r => r.Type)], scan.Info.Name, Seed);
        var outputs = roots.Select(r => new byte[scan.Info.Count * r.Type.Bits() / 8]).ToArray();
        using var workspace = new Workspace();
        var start = 0L;
        foreach (var end in ends.Append(scan.Info.Count))
        {
            var ins = streams.Select(s => Copy(s.Bytes, start, end, s.Type)).ToArray();
            var outs = roots.Select(r => Allocate((end - start) * r.Type.Bits() / 8)).ToArray();
            kernel.Run(start, (int)(end - start), ins, outs, workspace);
            for (var k = 0; k < outs.Length; k++)
            {
                var size = roots[k].Type.Bits() / 8;
                var bytes = new ReadOnlySpan<byte>((void*)outs[k], (int)(end - start) * size);
                Assert.True(new ReadOnlySpan<byte>((byte*)outs[k] + bytes.Length, Guard).IndexOfAnyExcept((byte)0xA5) < 0);
                bytes.CopyTo(outputs[k].AsSpan((int)start * size));
            }
            foreach (var memory in ins.Concat(outs))
                NativeMemory.Free((void*)memory);
            start = end;
        }
        return outputs;
    }

    /// <summary>The value of one expression as float32.</summary>
    public static float[] Value(
        ICompiler compiler, TensorScan scan, Func<Block, TensorExpr> value, params float[][] inputs)
    {
        var bytes = Run(compiler, scan, key => (DType.F32, Store(inputs[key.Model + 1], DType.F32)),
            [(scan.Record(value), DType.F32)]);
        return MemoryMarshal.Cast<byte, float>(bytes[0]).ToArray();
    }

    /// <summary>Reproducible values with many ties, both zeros, subnormals, infinities and NaN.</summary>
    public static float[] Values(int count, ulong seed)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var (x, y, z, _) = Philox.Words(((uint)i, 0, 0, 0), seed);
            values[i] = (x % 40) switch
            {
                0 => 0f,
                1 => -0f,
                2 => float.PositiveInfinity,
                3 => float.NegativeInfinity,
                4 => float.NaN,
                5 => BitConverter.UInt32BitsToSingle(y & 0x807fffff),
                6 => BitConverter.UInt32BitsToSingle(y),
                < 12 => ((int)(y % 9) - 4) * 0.25f,
                _ => (((int)y) / (float)int.MaxValue) * ((z & 3) + 0.1f),
            };
        }
        return values;
    }

    /// <summary>Like <see cref="Values"/>, finite and of ordinary size.</summary>
    public static float[] Finite(int count, ulong seed) =>
        [.. Enumerable.Range(0, count).Select(i => ((int)Philox.Words(((uint)i, 1, 0, 0), seed).X / (float)int.MaxValue))];

    private const int Guard = 64;

    private static nint Allocate(long bytes)
    {
        var memory = NativeMemory.Alloc((nuint)bytes + Guard);
        NativeMemory.Fill(memory, (nuint)bytes + Guard, 0xA5);
        return (nint)memory;
    }

    private static nint Copy(byte[] bytes, long start, long end, DType type)
    {
        var size = type.Bits() / 8;
        var memory = Allocate((end - start) * size);
        bytes.AsSpan((int)start * size, (int)(end - start) * size).CopyTo(new((void*)memory, int.MaxValue));
        return memory;
    }
}

using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Merge.Benchmarks;

/// <summary>Reads some memory once and writes some other, by several threads: no merge in memory can undercut it.</summary>
internal sealed unsafe class MemoryFloor(long inputBytes, long outputBytes, int threads) : IDisposable
{
    private const int Piece = 1 << 14;

    private readonly byte* _input = Touched(inputBytes);
    private readonly List<nint> _outputs = [];

    /// <summary>Seconds for one pass: the inputs read, and as many outputs written.</summary>
    public double Run(int outputs)
    {
        while (_outputs.Count < outputs)
            _outputs.Add((nint)Touched(outputBytes));
        var time = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, threads).Select(t => new Thread(() => Work(t, outputs))).ToArray();
        foreach (var worker in workers)
            worker.Start();
        foreach (var worker in workers)
            worker.Join();
        return time.Elapsed.TotalSeconds;
    }

    public void Dispose()
    {
        NativeMemory.Free(_input);
        foreach (var output in _outputs)
            NativeMemory.Free((void*)output);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Work(int thread, int outputs)
    {
        var seen = Vector<ulong>.Zero;
        var (first, end) = (inputBytes * thread / threads, inputBytes * (thread + 1) / threads);
        for (var at = first; at <= end - Vector<byte>.Count; at += Vector<byte>.Count)
            seen |= Vector.Load((ulong*)(_input + at));
        Span<byte> written = new byte[Piece];
        written.Fill((byte)seen[0]);
        (first, end) = (outputBytes * thread / threads, outputBytes * (thread + 1) / threads);
        foreach (var output in _outputs.Take(outputs))
        {
            for (var at = first; at < end; at += Piece)
            {
                var length = (int)Math.Min(Piece, end - at);
                written[..length].CopyTo(new Span<byte>((byte*)output + at, length));
            }
        }
    }

    private static byte* Touched(long bytes)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)bytes);
        NativeMemory.Fill(memory, (nuint)bytes, 1);
        return memory;
    }
}

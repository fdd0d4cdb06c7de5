using System.Diagnostics;

namespace Merge.Benchmarks;

/// <summary>Seconds of one round of plain reads and writes.</summary>
internal sealed record CopyTime(double Read, double Write)
{
    public double Together => Read + Write;
}

/// <summary>The floor: what moving the same bytes costs when nothing is computed.</summary>
internal static class Copying
{
    private const int BufferBytes = 4 << 20;

    /// <summary>The files, and of folders the safetensors files.</summary>
    public static string[] Files(IEnumerable<string> inputs) =>
        [.. inputs.SelectMany(input => Directory.Exists(input)
            ? Directory.GetFiles(input, "*.safetensors").Order(StringComparer.Ordinal)
            : Enumerable.Repeat(input, 1))];

    public static long Bytes(IEnumerable<string> files) => files.Sum(file => new FileInfo(file).Length);

    /// <summary>
    /// Reads all of the files, then writes as many bytes as told into a new file, which it deletes afterwards.
    /// </summary>
    /// <param name="threads">Each reads and writes one contiguous part of each file.</param>
    /// <param name="sync">Wait until what was written is on the disk; part of the write's time.</param>
    public static CopyTime Run(IReadOnlyList<string> files, long outputBytes, string output, int threads, bool sync)
    {
        File.Delete(output);
        try
        {
            var read = Seconds(() => OnThreads(threads, (part, buffer) =>
            {
                foreach (var file in files)
                    Read(file, part, threads, buffer);
            }));

            var write = Seconds(() =>
            {
                using var file = File.OpenHandle(output, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);
                OnThreads(threads, (part, buffer) =>
                {
                    var (at, end) = Part(outputBytes, part, threads);
                    for (; at < end; at += buffer.Length)
                        RandomAccess.Write(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
                });
                if (sync)
                    RandomAccess.FlushToDisk(file);
            });
            return new CopyTime(read, write);
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static void Read(string path, int part, int threads, byte[] buffer)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var (at, end) = Part(RandomAccess.GetLength(file), part, threads);
        while (at < end)
        {
            var count = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
            if (count == 0)
                throw new EndOfStreamException($"{path}: ended at {at}, expected {end} bytes.");
            at += count;
        }
    }

    private static (long Start, long End) Part(long length, int part, int parts) =>
        (length / parts * part, part == parts - 1 ? length : length / parts * (part + 1));

    private static void OnThreads(int threads, Action<int, byte[]> work)
    {
        // Buffers are touched first: what the kernel takes to hand out their pages is not copying.
        var buffers = Enumerable.Range(0, threads).Select(_ => Filled()).ToArray();
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => work(i, buffers[i]));

        static byte[] Filled()
        {
            var buffer = new byte[BufferBytes];
            Array.Fill(buffer, (byte)1);
            return buffer;
        }
    }

    private static double Seconds(Action work)
    {
        var time = Stopwatch.StartNew();
        work();
        return time.Elapsed.TotalSeconds;
    }
}

using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Compute.Gpu;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>
/// A plan's input tensors, kept in memory as they are stored: half the bytes of decoded ones where they are bfloat16,
/// and decoding a tile for a whole generation costs next to nothing.
/// </summary>
internal sealed unsafe class ResidentInputs : IDisposable
{
    private const int ChunkBytes = 1 << 23;
    private const long Alignment = 64;

    private readonly Dictionary<object, ResidentTensor> _tensors = [];
    private void* _memory;
    private long _bytes;

    private IDisposable? _onDevice;

    private ResidentInputs()
    {
    }

    ~ResidentInputs() => Free();

    /// <summary>Bytes that a plan's inputs take.</summary>
    public static long BytesOf(MergePlan plan) => Sources(plan).Sum(s => Aligned(s.Length));

    /// <summary>Reads all inputs, once; each tensor's checksum is taken.</summary>
    public static ResidentInputs Load(
        MergePlan plan, Checksums checksums, RunProgress progress, int threads, CancellationToken cancellation)
    {
        var loaded = new ResidentInputs();
        try
        {
            loaded.Read(Sources(plan), checksums, progress, threads, cancellation);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>The plan, reading its inputs from here.</summary>
    public MergePlan Over(MergePlan plan) => plan with { Tensors = [.. plan.Tensors.Select(Over)] };

    /// <summary>Copies them to a device, too, if it has room.</summary>
    public void Mirror(GpuDevice device) => _onDevice = device.Mirrors.Add((nint)_memory, _bytes);

    public void Dispose()
    {
        _onDevice?.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    private TensorPlan Over(TensorPlan tensor) => tensor with
    {
        Models = [.. tensor.Models.Select(m => (TensorSource)_tensors[Key(m)])],
        Base = tensor.Base is { } theta0 ? _tensors[Key(theta0)] : null,
    };

    // Side inputs that are stored whole are streamed: few methods have them, each reads them once.
    private static IEnumerable<TensorSource> Sources(MergePlan plan) =>
        plan.Tensors.SelectMany(t => t.Base is null ? t.Models : t.Models.Add(t.Base)).DistinctBy(Key);

    private static object Key(TensorSource source) => source is StoredTensor stored
        ? (stored.File, stored.Offset, stored.Length, stored.DType)
        : source;

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private void Read(
        IEnumerable<TensorSource> sources, Checksums checksums, RunProgress progress, int threads,
        CancellationToken cancellation)
    {
        TensorSource[] all = [.. sources];
        _bytes = Math.Max(all.Sum(s => Aligned(s.Length)), Alignment);
        _memory = NativeMemory.AlignedAlloc((nuint)_bytes, (nuint)Alignment);
        var address = (nint)_memory;
        var chunks = new List<(ResidentTensor Tensor, uint[] Checksums, int Index)>();
        foreach (var source in all)
        {
            var tensor = new ResidentTensor(source, address);
            _tensors.Add(Key(source), tensor);
            var parts = new uint[(source.Length + ChunkBytes - 1) / ChunkBytes];
            chunks.AddRange(parts.Select((_, i) => (tensor, parts, i)));
            address += (nint)Aligned(source.Length);
        }
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        void ReadChunk((ResidentTensor Tensor, uint[] Checksums, int Index) chunk)
        {
            var start = (long)chunk.Index * ChunkBytes;
            var bytes = new Span<byte>(
                (void*)(chunk.Tensor.Address + (nint)start), (int)Math.Min(ChunkBytes, chunk.Tensor.Length - start));
            chunk.Tensor.Source.Read(start, bytes);
            chunk.Checksums[chunk.Index] = Crc32C.Append(0, bytes);
            progress.Read(bytes.Length);
        }

        try
        {
            Parallel.ForEach(chunks, options, ReadChunk);
        }
        catch (AggregateException faults)
        {
            ExceptionDispatchInfo.Throw(faults.InnerExceptions[0]);
        }
        foreach (var tensor in chunks.GroupBy(c => c.Tensor))
        {
            if (!checksums.Claim(tensor.Key.Source))
                continue;
            var checksum = 0u;
            foreach (var (_, parts, index) in tensor)
            {
                var length = Math.Min(ChunkBytes, tensor.Key.Length - ((long)index * ChunkBytes));
                checksum = Crc32C.Combine(checksum, parts[index], length);
            }
            checksums.Set(tensor.Key.Source, checksum);
        }
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}

using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;

namespace Merge.Compute.Gpu;

/// <summary>A statistic that a device can reduce its operands for.</summary>
internal interface IDeviceReductionPart : IReductionPart
{
    /// <summary>As <see cref="IReductionPart.Take"/>, but the operands' values are on the device.</summary>
    /// <param name="start">Index of the first element; follows the last call's elements.</param>
    /// <param name="operands">Each operand's values.</param>
    void Take(long start, DeviceOperands operands);
}

/// <summary>Of 4096 elements: where the keys inside a bracket begin, how many, and how many are not listed.</summary>
internal readonly record struct DeviceKeys(uint First, uint Found, uint Middles, uint Above);

/// <summary>
/// A block's values, float32, on a device, and what it can reduce them to. Every call waits for its result; the bits are
/// the processor's.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="lane">The worker's share of it.</param>
/// <param name="at">Of every operand the byte of the lane's memory where its values begin.</param>
/// <param name="count">Elements of the block.</param>
internal sealed class DeviceOperands(GpuDevice device, GpuLane lane, long[] at, int count)
{
    /// <summary>Elements whose keys are listed together.</summary>
    public const int KeyTile = 4096;

    public int Count => count;

    /// <summary>The operands of one statistic.</summary>
    public DeviceOperands Of(int[] operands) => new(device, lane, [.. operands.Select(k => at[k])], count);

    /// <summary>Values from one on.</summary>
    public void Read(int operand, int first, Span<float> values) => lane.Stream.Read(
        lane.Memory, at[operand] + ((long)first * sizeof(float)), MemoryMarshal.AsBytes(values));

    /// <summary>
    /// Sums, or sums of products, of pieces one after the other, in the order of <see cref="LaneSums"/>; the last piece
    /// may be shorter.
    /// </summary>
    /// <param name="terms">For each sum its operand, and the one it is multiplied with (-1: none).</param>
    /// <param name="first">The first piece's first element.</param>
    /// <param name="length">Elements of all pieces.</param>
    /// <param name="piece">Elements of one.</param>
    /// <returns>For each term its pieces' sums.</returns>
    public double[][] Sums((int A, int B)[] terms, int first, int length, long piece)
    {
        var pieces = (int)((length + piece - 1) / piece);
        var results = lane.Results((long)terms.Length * pieces * sizeof(double));
        for (var k = 0; k < terms.Length; k++)
        {
            var (a, b) = terms[k];
            lane.Stream.Launch(
                Fixed("lane_sums"), LaunchShape.Over((long)pieces * LaneSums.Lanes),
                lane.Memory, Place(a, first), lane.Memory, Place(b < 0 ? a : b, first), b < 0 ? 0 : 1,
                (long)length, piece, results, (long)k * pieces);
        }
        var sums = new double[terms.Length * pieces];
        lane.Stream.Read(results, 0, MemoryMarshal.AsBytes(sums.AsSpan()));
        return [.. sums.Chunk(pieces)];
    }

    /// <summary>Smallest and largest value; NaN where any is.</summary>
    public (float Min, float Max) Range(int operand)
    {
        const int Piece = 1 << 14;
        var pieces = (count + Piece - 1) / Piece;
        var results = lane.Results((long)pieces * 2 * sizeof(float));
        lane.Stream.Launch(
            Fixed("ranges"), LaunchShape.Over((long)pieces * LaunchShape.Usual),
            lane.Memory, Place(operand, 0), (long)count, (long)Piece, results);
        var ends = new float[2 * pieces];
        lane.Stream.Read(results, 0, MemoryMarshal.AsBytes(ends.AsSpan()));
        var (min, max) = (ends[0], ends[1]);
        for (var k = 1; k < pieces; k++)
            (min, max) = (MathF.Min(min, ends[2 * k]), MathF.Max(max, ends[(2 * k) + 1]));
        return (min, max);
    }

    /// <summary>The keys inside [low, high] but the middle one, of every <see cref="KeyTile"/> elements.</summary>
    public (DeviceKeys[] Tiles, uint[] Keys) KeysInside(int operand, int first, int length, uint low, uint middle, uint high)
    {
        var tiles = new DeviceKeys[(length + KeyTile - 1) / KeyTile];
        long keysAt = 1 + (4L * tiles.Length);
        var results = lane.Results((keysAt + length) * sizeof(uint));
        lane.Stream.Fill(results, 0, sizeof(uint), 0);
        lane.Stream.Launch(
            Fixed("keys_inside"), LaunchShape.Over((long)tiles.Length * LaunchShape.Usual),
            lane.Memory, Place(operand, first), (long)length, low, middle, high,
            results, 1L, results, keysAt, results, 0L);
        lane.Stream.Read(results, sizeof(uint), MemoryMarshal.AsBytes(tiles.AsSpan()));
        var keys = new uint[tiles.Sum(t => t.Found)];
        if (keys.Length > 0)
            lane.Stream.Read(results, keysAt * sizeof(uint), MemoryMarshal.AsBytes(keys.AsSpan()));
        return (tiles, keys);
    }

    /// <summary>How often each upper half of a key occurs: 65536 counts.</summary>
    public uint[] UpperCounts(int operand)
    {
        var results = lane.Results(ScoreBins.Count * sizeof(uint));
        lane.Stream.Fill(results, 0, ScoreBins.Count * sizeof(uint), 0);
        lane.Stream.Launch(Fixed("count_upper"), Counting, lane.Memory, Place(operand, 0), (long)count, results);
        return Words(results, 0, ScoreBins.Count);
    }

    /// <summary>How often each lower half of a key occurs in some bins: 65536 counts a bin.</summary>
    public uint[] LowerCounts(int operand, int[] bins)
    {
        var words = bins.Length * ScoreBins.Count;
        var results = lane.Results((long)(words + bins.Length) * sizeof(uint));
        lane.Stream.Fill(results, 0, (long)words * sizeof(uint), 0);
        lane.Stream.Write(MemoryMarshal.AsBytes(bins.AsSpan()), results, (long)words * sizeof(uint));
        lane.Stream.Launch(
            Fixed("count_lower"), Counting,
            lane.Memory, Place(operand, 0), (long)count, results, (long)words, bins.Length, results);
        return Words(results, 0, words);
    }

    /// <summary>The keys in [low, high], with which elements of the block have them, those in order.</summary>
    public (uint Place, uint Key)[] Gather(int operand, uint low, uint high)
    {
        var results = lane.Results((1 + (2L * count)) * sizeof(uint));
        lane.Stream.Fill(results, 0, sizeof(uint), 0);
        lane.Stream.Launch(
            Fixed("gather_keys"), LaunchShape.Over(count),
            lane.Memory, Place(operand, 0), (long)count, low, high, results, 1L, 1L + count, (uint)count);
        var found = (int)Words(results, 0, 1)[0];
        (uint Place, uint Key)[] all = [.. Words(results, 1L + count, found).Zip(Words(results, 1, found))];
        Array.Sort(all);
        return all;
    }

    /// <summary>Adds columns, row after row, to sums of them.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="first">The first row's first element.</param>
    /// <param name="rows">How many; of as many elements as there are sums.</param>
    /// <param name="sums">What they are added to.</param>
    public void AddColumns(int operand, int first, int rows, Span<double> sums)
    {
        var bytes = MemoryMarshal.AsBytes(sums);
        var results = lane.Results(bytes.Length);
        lane.Stream.Write(bytes, results, 0);
        lane.Stream.Launch(
            Fixed("column_sums"), LaunchShape.Over(sums.Length),
            lane.Memory, Place(operand, first), (long)rows, (long)sums.Length, results, 0L);
        lane.Stream.Read(results, 0, bytes);
    }

    /// <summary>Adds X·R, or Xᵀ·R, to a product: every element one chain of fused multiply-adds.</summary>
    /// <param name="operand">X.</param>
    /// <param name="first">Its first element.</param>
    /// <param name="isTransposed">Whether X is inner × rows.</param>
    /// <param name="rows">Of the product.</param>
    /// <param name="inner">Rows of R.</param>
    /// <param name="right">R.</param>
    /// <param name="product">What it is added to.</param>
    public void AddProduct(
        int operand, int first, bool isTransposed, int rows, int inner, Span<double> right, Span<double> product)
    {
        const int Side = 16;
        var columns = right.Length / inner;
        var results = lane.Results((right.Length + product.Length) * (long)sizeof(double));
        lane.Stream.Write(MemoryMarshal.AsBytes(right), results, 0);
        lane.Stream.Write(MemoryMarshal.AsBytes(product), results, right.Length * (long)sizeof(double));
        var tiles = (rows + Side - 1L) / Side * ((columns + Side - 1) / Side);
        lane.Stream.Launch(
            Fixed(isTransposed ? "transposed_product" : "product"), LaunchShape.Over(tiles * LaunchShape.Usual),
            lane.Memory, Place(operand, first), results, 0L, results, (long)right.Length, (long)rows, (long)inner,
            (long)columns);
        lane.Stream.Read(results, right.Length * (long)sizeof(double), MemoryMarshal.AsBytes(product));
    }

    // Work groups that count much each, by themselves, before they add to what all share.
    private LaunchShape Counting => new(Math.Clamp(count / (64L * LaunchShape.Usual), 1, 1024));

    private uint[] Words(DeviceBuffer results, long first, int length)
    {
        var words = new uint[length];
        lane.Stream.Read(results, first * sizeof(uint), MemoryMarshal.AsBytes(words.AsSpan()));
        return words;
    }

    private long Place(int operand, int first) => (at[operand] / sizeof(float)) + first;

    private DeviceKernel Fixed(string name) => lane.Kernel(device.Fixed, name);
}

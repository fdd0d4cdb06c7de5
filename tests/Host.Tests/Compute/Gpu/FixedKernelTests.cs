using System.Runtime.InteropServices;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Sdk;
using One = Merge.Compute.Cpu.Conversions<Merge.Compute.Cpu.Lanes1, float, int>;

namespace Host.Tests.Compute.Gpu;

/// <summary>The fixed kernels against the processor's code, bit for bit.</summary>
public sealed unsafe class FixedKernelTests(DeviceUnderTest device) : IClassFixture<DeviceUnderTest>
{
    private static readonly DType[] Types = [DType.F32, DType.BF16, DType.F16, DType.F64];

    public static TheoryData<DType, DType> Pairs
    {
        get
        {
            var pairs = new TheoryData<DType, DType>();
            foreach (var from in Types)
            {
                foreach (var to in Types)
                    pairs.Add(from, to);
            }
            return pairs;
        }
    }

    [OpenClTheory]
    [MemberData(nameof(Pairs))]
    public void Stored_numbers_are_converted_as_the_processor_does(DType from, DType to)
    {
        foreach (var (count, start, end) in new[] { (70_003, 0, 0), (4096, 16, 32), (1001, 3, 5), (7, 0, 0), (1, 1, 0) })
        {
            var stored = Store(from, Numbers.Any(count));
            var expected = new byte[count * Size(to)];
            fixed (byte* source = stored, target = expected)
            {
                for (var i = 0; i < count; i++)
                    One.Encode(to, One.Decode(from, source + (i * Size(from))), target + (i * Size(to)));
            }
            using var input = device.Buffer<byte>(stored, start * Size(from));
            using var output = device.Context.Allocate((end * Size(to)) + expected.Length);
            device.Run(
                "convert", input, (long)start * Size(from), StoredType.Of(from), output, (long)end * Size(to),
                StoredType.Of(to), (long)count);
            Assert.Equal(expected, device.Read<byte>(output, expected.Length, end * Size(to)));
        }
    }

    [OpenClFact]
    public void Every_half_and_every_bfloat16_is_read_exactly()
    {
        ushort[] all = [.. Enumerable.Range(0, 1 << 16).Select(i => (ushort)i)];
        foreach (var type in new[] { DType.F16, DType.BF16 })
        {
            using var input = device.Buffer<ushort>(all);
            using var output = device.Context.Allocate(all.Length * sizeof(float));
            device.Run("convert", input, 0L, StoredType.Of(type), output, 0L, StoredType.Of(DType.F32), (long)all.Length);
            var expected = all.Select(i => type == DType.F16
                ? (float)BitConverter.UInt16BitsToHalf(i)
                : BitConverter.UInt32BitsToSingle((uint)i << 16));
            Assert.Equal(Numbers.Bits(expected), Numbers.Bits(device.Read<float>(output, all.Length)));
        }
    }

    [OpenClTheory]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 4096)]
    [InlineData(65_000, 4096)]
    [InlineData(30, 4096)]
    [InlineData(9000, 100)]
    [InlineData(9, 3)]
    public void Sums_and_dot_products_have_the_processors_order(int count, int piece)
    {
        var (x, y) = (Numbers.Weights(count + 5, 1, count > 5000), Numbers.Weights(count + 1, 2));
        using var bufferX = device.Buffer<float>(x);
        using var bufferY = device.Buffer<float>(y);
        var pieces = (count + piece - 1) / piece;
        var lanes = stackalloc double[LaneSums.Lanes];
        using var to = device.Context.Allocate((pieces + 1) * sizeof(double));
        foreach (var hasProducts in new[] { false, true })
        {
            var expected = new double[pieces];
            fixed (float* a = x, b = y)
            {
                for (var p = 0; p < pieces; p++)
                {
                    new Span<double>(lanes, LaneSums.Lanes).Clear();
                    var length = Math.Min(piece, count - (p * piece));
                    if (hasProducts)
                        LaneSums.AddProducts(lanes, a + 5 + (p * piece), b + 1 + (p * piece), length, 0);
                    else
                        LaneSums.Add(lanes, a + 5 + (p * piece), length, 0);
                    expected[p] = LaneSums.Total(lanes, length);
                }
            }
            device.Run(
                "lane_sums", bufferX, 5L, bufferY, 1L, hasProducts ? 1 : 0, (long)count, (long)piece, to, 1L);
            Assert.Equal(Numbers.Bits(expected), Numbers.Bits(device.Read<double>(to, pieces, sizeof(double))));
        }
    }

    [OpenClTheory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(10_001)]
    public void Ranges_are_those_of_the_pieces(int count)
    {
        var x = Numbers.Weights(count + 3, 9);
        if (count > 5000)
            x[6000] = float.NaN;
        x[3] = -0f;
        const int piece = 4096;
        var pieces = (count + piece - 1) / piece;
        using var buffer = device.Buffer<float>(x);
        using var to = device.Context.Allocate(pieces * 2 * sizeof(float));
        device.Run("ranges", buffer, 3L, (long)count, (long)piece, to);
        var expected = x[3..].Chunk(piece)
            .SelectMany(c => new[] { c.Aggregate(float.PositiveInfinity, MathF.Min), c.Aggregate(float.NegativeInfinity, MathF.Max) });
        Assert.Equal(Numbers.Bits(expected), Numbers.Bits(device.Read<float>(to, pieces * 2)));
    }

    [OpenClFact]
    public void Columns_are_summed_row_after_row()
    {
        const int rows = 37, length = 301;
        var x = Numbers.Weights((rows * length) + 1, 4, true);
        double[] sums = [.. Enumerable.Range(0, length).Select(i => i * 0.1)];
        using var buffer = device.Buffer<float>(x);
        using var to = device.Buffer<double>(sums, sizeof(double));
        device.Run("column_sums", buffer, 1L, (long)rows, (long)length, to, 1L);
        fixed (float* values = x)
        {
            fixed (double* target = sums)
            {
                for (var i = 0; i < rows; i++)
                    LaneSums.AddEach(target, values + 1 + (i * length), length);
            }
        }
        Assert.Equal(Numbers.Bits(sums), Numbers.Bits(device.Read<double>(to, length, sizeof(double))));
    }

    [OpenClTheory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(200_003)]
    public void Keys_are_counted_by_their_upper_and_their_lower_halves(int count)
    {
        var x = Numbers.Weights(count + 1, 6, true);
        uint[] keys = [.. x[1..].Select(ScoreKey.Of)];
        using var buffer = device.Buffer<float>(x);
        using var upper = device.Buffer<uint>(new uint[ScoreBins.Count]);
        device.Run("count_upper", buffer, 1L, (long)count, upper);
        var expected = new uint[ScoreBins.Count];
        foreach (var key in keys)
            expected[key >> 16]++;
        Assert.Equal(expected, device.Read<uint>(upper, expected.Length));

        int[] bins = [.. keys.GroupBy(k => (int)(k >> 16)).OrderByDescending(g => g.Count()).Take(2).Select(g => g.Key).Order()];
        using var bufferOfBins = device.Buffer<int>(bins, sizeof(int));
        using var lower = device.Buffer<uint>(new uint[bins.Length * ScoreBins.Count]);
        device.Run("count_lower", buffer, 1L, (long)count, bufferOfBins, 1L, bins.Length, lower);
        expected = new uint[bins.Length * ScoreBins.Count];
        foreach (var key in keys.Where(k => bins.Contains((int)(k >> 16))))
            expected[(Array.IndexOf(bins, (int)(key >> 16)) * ScoreBins.Count) + (int)(key & 0xffff)]++;
        Assert.Equal(expected, device.Read<uint>(lower, expected.Length));
    }

    [OpenClTheory]
    [InlineData(10_000)]
    [InlineData(100)]
    public void Keys_within_limits_are_gathered_with_their_positions(int room)
    {
        const int count = 9001;
        var x = Numbers.Weights(count, 7, true);
        var (low, high) = (ScoreKey.Of(0.01f), ScoreKey.Of(0.03f));
        using var buffer = device.Buffer<float>(x);
        using var words = device.Buffer<uint>(new uint[1 + (2 * room)]);
        device.Run("gather_keys", buffer, 0L, (long)count, low, high, words, 1L, 1L + room, (uint)room);
        var expected = x.Select((v, i) => (Place: (uint)i, Key: ScoreKey.Of(v)))
            .Where(v => v.Key >= low && v.Key <= high)
            .ToArray();
        var made = device.Read<uint>(words, 1 + (2 * room));
        Assert.Equal(expected.Length, (int)made[0]);
        var kept = Math.Min(room, expected.Length);
        var pairs = made[(1 + room)..].Zip(made[1..]).Take(kept).Order().ToArray();
        Assert.Equal(kept, pairs.Distinct().Count());
        if (room >= expected.Length)
            Assert.Equal(expected, pairs);
        else
            Assert.All(pairs, p => Assert.Contains(p, expected));
    }

    [OpenClTheory]
    [InlineData(1, 1, 1)]
    [InlineData(17, 33, 5)]
    [InlineData(48, 16, 32)]
    [InlineData(3, 200, 40)]
    public void Matrix_products_are_the_processors(int rows, int inner, int columns)
    {
        var x = Numbers.Weights(rows * inner, 8);
        Matrix Of(int r, int c, ulong key)
        {
            var matrix = new Matrix(r, c);
            Numbers.Weights(r * c, key).Select((v, i) => (v * 1.000001) + i).ToArray().CopyTo(matrix.Values, 0);
            return matrix;
        }
        var right = Of(inner, columns, 11);
        using var bufferX = device.Buffer<float>(x, sizeof(float));
        using var bufferRight = device.Buffer<double>(right.Values, sizeof(double));
        var begun = Of(rows, columns, 12).Values;

        using var product = device.Buffer<double>(begun, 2 * sizeof(double));
        device.Run("product", bufferX, 1L, bufferRight, 1L, product, 2L, (long)rows, (long)inner, (long)columns);
        Assert.Equal(
            Chains((i, k) => x[(i * inner) + k], right),
            device.Read<double>(product, rows * columns, 2 * sizeof(double)));

        // X is inner × rows.
        using var transposed = device.Buffer<double>(begun, 2 * sizeof(double));
        device.Run(
            "transposed_product", bufferX, 1L, bufferRight, 1L, transposed, 2L, (long)rows, (long)inner, (long)columns);
        Assert.Equal(
            Chains((i, k) => x[(k * rows) + i], right),
            device.Read<double>(transposed, rows * columns, 2 * sizeof(double)));

        double[] Chains(Func<int, int, float> of, Matrix other)
        {
            double[] all = [.. begun];
            for (var e = 0; e < all.Length; e++)
            {
                for (var k = 0; k < inner; k++)
                    all[e] = Math.FusedMultiplyAdd(of(e / columns, k), other[k, e % columns], all[e]);
            }
            return all;
        }
    }

    [OpenClTheory]
    [InlineData(DType.BF16, 4096, 0)]
    [InlineData(DType.BF16, 1003, 8)]
    [InlineData(DType.F16, 777, 16)]
    [InlineData(DType.F32, 1001, 3)]
    [InlineData(DType.F64, 515, 0)]
    public void Combinations_are_the_processors(DType output, int count, int first)
    {
        DType[] types = [DType.BF16, DType.BF16, DType.F16, DType.F32, DType.F64, DType.BF16];
        var total = first + count;
        byte[][] stored = [.. types.Select((t, k) => Store(t, Numbers.Weights(total, (ulong)(20 + k), true)))];
        var combinations = new Combinations(
            types,
            output,
            [new(0), new(1, 0), new(2, 0), new(3), new(4), new(5, 0)],
            [
                .. Enumerable.Range(0, 6).Select(m => new Combination([1, 2, 5], [0.1f * m, 1f / (m + 3), -0.7f], 0)),
                new([3], [float.Epsilon]),
                new([0, 3, 4], [0.5f, 0.25f, 0.125f]),
                new([4, 0, 3], [0.5f, 0.25f, 0.125f]),
            ]);

        // One buffer, inputs at multiples of 64 bytes.
        long[] places = [.. stored.Select((_, k) => stored[..k].Sum(s => (s.Length + 63L) / 64 * 64))];
        using var slab = device.Context.Allocate(stored.Sum(s => (s.Length + 63L) / 64 * 64));
        foreach (var (k, bytes) in stored.Index())
            device.Stream.Write(bytes, slab, places[k]);
        var stride = ((count * Size(output)) + 15) / 16 * 16;
        using var to = device.Context.Allocate(stride * combinations.Rows.Count);
        var tables = new CombinationTables(combinations, places);
        using var bufferOfTables = device.Buffer<byte>(tables.Bytes, 8);
        using var kernel = device.Kernel(tables.Kernel);
        tables.Queue(device.Stream, kernel, bufferOfTables, 8, slab, first, count, to, 0, stride);
        var made = device.Read<byte>(to, stride * combinations.Rows.Count);

        var expected = new byte[combinations.Rows.Count][];
        var pins = stored.Select(s => GCHandle.Alloc(s, GCHandleType.Pinned)).ToList();
        nint[] inputs = [.. pins.Select((p, k) => p.AddrOfPinnedObject() + (first * Size(types[k])))];
        for (var m = 0; m < expected.Length; m++)
            pins.Add(GCHandle.Alloc(expected[m] = new byte[count * Size(output)], GCHandleType.Pinned));
        nint[] outputs = [.. pins[stored.Length..].Select(p => p.AddrOfPinnedObject())];
        using (var workspace = new Workspace())
            new CpuCompiler().Combine(combinations).Run(first, count, inputs, outputs, workspace);
        pins.ForEach(p => p.Free());
        for (var m = 0; m < expected.Length; m++)
            Assert.Equal(expected[m], made[(m * stride)..((m * stride) + expected[m].Length)]);
    }

    private static int Size(DType type) => type.Bits() / 8;

    private static byte[] Store(DType type, float[] values)
    {
        var stored = new byte[values.Length * Size(type)];
        fixed (float* source = values)
        {
            fixed (byte* target = stored)
            {
                for (var i = 0; i < values.Length; i++)
                {
                    // Float64 with digits that float32 has not; NaN as they are.
                    if (type == DType.F64)
                        ((double*)target)[i] = values[i] * 1.00000007;
                    else if (type == DType.F32)
                        ((float*)target)[i] = values[i];
                    else
                        One.Encode(type, values[i], target + (i * Size(type)));
                }
            }
        }
        return stored;
    }
}

using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Linear combinations of inputs that are in a device's memory, all in one buffer: one kernel for all rows. What they
/// are is in tables, so that a generation's new coefficients compile nothing.
/// </summary>
internal sealed class DeviceCombinations : IDisposable
{
    private const long Aligned = 16;

    private readonly Combinations _combinations;
    private readonly int _groups;
    private readonly bool _isAligned;
    private readonly DeviceBuffer _values;
    private readonly DeviceBuffer _types;
    private readonly DeviceBuffer _rows;
    private readonly DeviceBuffer _terms;
    private readonly DeviceBuffer _coefficients;

    /// <param name="stream">Brings the tables to the device.</param>
    /// <param name="context">The device.</param>
    /// <param name="combinations">What to compute; see <see cref="Takes"/>.</param>
    /// <param name="places">Of every input the byte of the buffer its element 0 lies at.</param>
    public DeviceCombinations(
        DeviceContext context, DeviceStream stream, Combinations combinations, IReadOnlyList<long> places)
    {
        _combinations = combinations;
        _isAligned = places.All(p => p % Aligned == 0);
        var (values, types) = (new List<long>(), new List<int>());
        foreach (var (slot, minus) in combinations.Values)
        {
            var other = minus < 0 ? -1 : combinations.Values[minus].Slot;
            values.AddRange(places[slot], other < 0 ? -1 : places[other]);
            types.AddRange(StoredType.Of(combinations.InputTypes[slot]), other < 0 ? 0 : StoredType.Of(combinations.InputTypes[other]));
        }
        var (rows, terms, coefficients) = (new List<int>(), new List<int>(), new List<float>());
        foreach (var some in CombinedRows.Of(combinations.Rows))
        {
            rows.AddRange(terms.Count, some.Terms.Length, some.Base, some.Outputs.Length, coefficients.Count);
            rows.AddRange(some.Outputs.Concat(Enumerable.Repeat(-1, CombinedRows.Most - some.Outputs.Length)));
            terms.AddRange(some.Terms);
            foreach (var ofTerm in some.Coefficients.Chunk(some.Outputs.Length))
                coefficients.AddRange(ofTerm.Concat(Enumerable.Repeat(0f, CombinedRows.Most - ofTerm.Length)));
            _groups++;
        }
        DeviceBuffer Table<T>(List<T> numbers)
            where T : unmanaged
        {
            var bytes = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(numbers));
            var table = context.Allocate(bytes.Length);
            stream.Write(bytes, table, 0);
            return table;
        }
        (_values, _types, _rows) = (Table(values), Table(types), Table(rows));
        (_terms, _coefficients) = (Table(terms), Table(coefficients));
    }

    /// <summary>Whether the kernel can compute them: what is subtracted must be an input itself.</summary>
    public static bool Takes(Combinations combinations) =>
        combinations.Values.All(v => v.Minus < 0 || combinations.Values[v.Minus].Minus < 0);

    /// <summary>The kernel's name.</summary>
    public string Kernel => _combinations.OutputType switch
    {
        DType.BF16 => "combine_bf16",
        DType.F16 => "combine_f16",
        DType.F64 => "combine_f64",
        _ => "combine_f32",
    };

    /// <summary>Queues them for elements [first, first + count).</summary>
    /// <param name="stream">Where.</param>
    /// <param name="kernel">The stream's own.</param>
    /// <param name="inputs">Where the inputs are.</param>
    /// <param name="first">Index of the first element.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Where the results go.</param>
    /// <param name="toAt">The byte the first row's go to.</param>
    /// <param name="toStride">Bytes from one row's results to the next's.</param>
    public void Queue(
        DeviceStream stream, DeviceKernel kernel, DeviceBuffer inputs, long first, long count, DeviceBuffer to, long toAt,
        long toStride)
    {
        // Eight elements at a time, sixteen bytes at least: from multiples of eight elements on.
        var isAligned = _isAligned && first % 8 == 0 && toAt % Aligned == 0 && toStride % Aligned == 0;
        stream.Launch(
            kernel, LaunchShape.Over(isAligned ? (count + 7) / 8 : count), inputs, _values, _types, _rows, _groups, _terms,
            _coefficients, isAligned ? 1 : 0, first, count, to, toAt, toStride);
    }

    public void Dispose()
    {
        foreach (var table in (DeviceBuffer[])[_values, _types, _rows, _terms, _coefficients])
            table.Dispose();
    }
}

/// <summary>How the fixed kernels tell stored numbers apart.</summary>
internal static class StoredType
{
    public static int Of(DType type) => type switch
    {
        DType.F32 => 0,
        DType.BF16 => 1,
        DType.F16 => 2,
        DType.F64 => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "is not merged"),
    };
}

using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Linear combinations of inputs that are in a device's memory, all in one buffer, as tables of one fixed kernel: a
/// generation's new coefficients compile nothing.
/// </summary>
internal sealed class CombinationTables
{
    /// <summary>Where tables, inputs and outputs begin at multiples of it, sixteen bytes are read at a time.</summary>
    private const long Aligned = 16;

    private readonly int _values;
    private readonly int _groups;
    private readonly int _terms;
    private readonly bool _isAligned;

    /// <param name="combinations">What to compute; see <see cref="Takes"/>.</param>
    /// <param name="places">Of every input the byte of the buffer its element 0 lies at.</param>
    public CombinationTables(Combinations combinations, IReadOnlyList<long> places)
    {
        _isAligned = places.All(p => p % Aligned == 0);
        Kernel = combinations.OutputType switch
        {
            DType.BF16 => "combine_bf16",
            DType.F16 => "combine_f16",
            DType.F64 => "combine_f64",
            _ => "combine_f32",
        };
        var (values, types) = (new List<long>(), new List<int>());
        foreach (var (slot, minus) in combinations.Values)
        {
            var other = minus < 0 ? -1 : combinations.Values[minus].Slot;
            values.AddRange(places[slot], other < 0 ? -1 : places[other]);
            types.AddRange(TypeOf(slot), other < 0 ? 0 : TypeOf(other));
        }
        var (groups, terms, coefficients) = (new List<int>(), new List<int>(), new List<float>());
        foreach (var some in CombinedRows.Of(combinations.Rows))
        {
            groups.AddRange(terms.Count, some.Terms.Length, some.Base, some.Outputs.Length, coefficients.Count);
            groups.AddRange(some.Outputs.Concat(Enumerable.Repeat(-1, CombinedRows.Most - some.Outputs.Length)));
            terms.AddRange(some.Terms);
            foreach (var ofTerm in some.Coefficients.Chunk(some.Outputs.Length))
                coefficients.AddRange(ofTerm.Concat(Enumerable.Repeat(0f, CombinedRows.Most - ofTerm.Length)));
            _groups++;
        }
        (_values, _terms) = (combinations.Values.Count, terms.Count);
        Bytes =
        [
            .. Of(values), .. Of(types), .. Of(groups), .. Of(terms), .. Of(coefficients),
        ];

        int TypeOf(int slot) => StoredType.Of(combinations.InputTypes[slot]);
    }

    /// <summary>To be on the device, from a multiple of 8 on.</summary>
    public byte[] Bytes { get; }

    /// <summary>The kernel's name.</summary>
    public string Kernel { get; }

    /// <summary>Whether the kernel can compute them: what is subtracted must be an input itself.</summary>
    public static bool Takes(Combinations combinations) =>
        combinations.Values.All(v => v.Minus < 0 || combinations.Values[v.Minus].Minus < 0);

    /// <summary>Queues them for elements [first, first + count).</summary>
    /// <param name="stream">Where.</param>
    /// <param name="kernel">The stream's own.</param>
    /// <param name="tables">Where <see cref="Bytes"/> are.</param>
    /// <param name="tablesAt">From which byte on.</param>
    /// <param name="inputs">Where the inputs are.</param>
    /// <param name="first">Index of the first element.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Where the results go.</param>
    /// <param name="toAt">The byte the first row's go to.</param>
    /// <param name="toStride">Bytes from one row's results to the next's.</param>
    public void Queue(
        DeviceStream stream, DeviceKernel kernel, DeviceBuffer tables, long tablesAt, DeviceBuffer inputs, long first,
        long count, DeviceBuffer to, long toAt, long toStride)
    {
        const int AtOnce = 8;
        var isAligned = _isAligned && first % AtOnce == 0 && toAt % Aligned == 0 && toStride % Aligned == 0;
        stream.Launch(
            kernel, LaunchShape.Over(isAligned ? (count + AtOnce - 1) / AtOnce : count), inputs, tables, tablesAt, _values,
            _groups, _terms, isAligned ? 1 : 0, first, count, to, toAt, toStride);
    }

    private static byte[] Of<T>(List<T> numbers)
        where T : unmanaged =>
        [.. MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(numbers))];
}

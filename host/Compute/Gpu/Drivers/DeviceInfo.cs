using Merge.Sdk;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>What a device is and can do.</summary>
/// <param name="Driver"><c>cuda</c> or <c>opencl</c>.</param>
/// <param name="Index">Among the driver's devices, from 0.</param>
/// <param name="Name">As its maker calls it.</param>
internal sealed record DeviceInfo(string Driver, int Index, string Name)
{
    /// <summary>Below it not even blocks of a few models have room.</summary>
    public const long LeastMemory = 256L << 20;

    /// <summary>Of the driver, and of what it implements.</summary>
    public string Version { get; init; } = "";

    /// <summary>Bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Bytes of the largest buffer.</summary>
    public long LargestBuffer { get; init; }

    /// <summary>Multiprocessors, compute units.</summary>
    public int Units { get; init; }

    /// <summary>False for a processor that an OpenCL driver offers as a device.</summary>
    public bool IsGpu { get; init; }

    public bool HasFloat64 { get; init; }

    /// <summary>Whether subnormal float32 are computed with, not flushed to zero.</summary>
    public bool HasSubnormals { get; init; }

    /// <summary>Whether float32 divisions and square roots can be rounded correctly.</summary>
    public bool HasExactDivision { get; init; }

    /// <summary>Whether it understands the kernels' instructions at all.</summary>
    public bool IsRecentEnough { get; init; } = true;

    /// <summary>What <c>--device</c> calls it.</summary>
    public string Selector => $"{Driver}:{Index}";

    public override string ToString() => $"{Name} ({Selector})";

    /// <summary>Why it cannot give the CPU's results; empty if it can.</summary>
    public IReadOnlyList<Diagnostic> Refusals()
    {
        var all = new List<Diagnostic>();
        void Refuse(bool lacks, string what, string expected)
        {
            if (lacks)
            {
                all.Add(new($"{this} {what}")
                {
                    Expected = expected,
                    Fix = "Name another device, or --device cpu",
                });
            }
        }
        Refuse(!IsRecentEnough, "is older than the kernels", "compute capability 7.0 (Volta) or later, or OpenCL 1.2");
        Refuse(!HasFloat64, "has no float64 arithmetic", "float64: statistics are summed in it");
        Refuse(!HasSubnormals, "flushes subnormal float32 numbers to zero", "subnormals: results are the CPU's, bit for bit");
        Refuse(!HasExactDivision, "does not round float32 division correctly", "correct rounding: results are the CPU's, bit for bit");
        Refuse(Memory < LeastMemory, $"has only {MemoryText.Of(Memory)} of memory", $"at least {MemoryText.Of(LeastMemory)}");
        return all;
    }
}

/// <summary>A device that was found, not yet used.</summary>
internal interface IDevice
{
    DeviceInfo Info { get; }

    /// <summary>A context of its own; the caller disposes it, after all that was made with it.</summary>
    DeviceContext Open();
}

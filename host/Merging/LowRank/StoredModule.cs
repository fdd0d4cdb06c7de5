using Merge.Adapters;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Where the factor file has a finished module (A, B) or a parameter that is brought whole (Left alone).</summary>
internal sealed record StoredModule(AdapterTensors? Tensors, int Rank, double RelativeError, long Left, long Right)
{
    // Rounding to bfloat16 takes about 0.003, to float16 0.0004, unless numbers vanish.
    private const double MostRounding = 0.01;
    private const int MostNamed = 4;

    public string? Name { get; init; }

    /// <summary>What is not in the factor file: it is written from the adapters themselves.</summary>
    public ConcatenatedFactors? Concatenated { get; init; }

    /// <summary>What rounding to the dtype of the file takes of its change, as a share of its norm.</summary>
    public double Rounding { get; init; }

    /// <summary>The reason that a module cannot be written.</summary>
    public static MergeException Beyond(DType dtype, string module) => new(new Diagnostic(
        $"the merged factors of this module are beyond {Text(dtype)}: they would be written as infinities")
    {
        Where = module,
        Expected = $"numbers up to {(dtype == DType.F16 ? "65504" : "3.4e38")}",
        Fix = (dtype == DType.F16 ? "Write bfloat16 or float32 (dtype), or use" : "Use")
            + " smaller weights; look at the adapters' scales: merge inspect ADAPTER.",
    });

    /// <summary>What to tell the user of modules that lose more than rounding explains; null where none does.</summary>
    public static Diagnostic? Rounded(IEnumerable<StoredModule> modules, DType dtype)
    {
        StoredModule[] lossy = [.. modules.Where(m => m.Rounding > MostRounding).OrderByDescending(m => m.Rounding)];
        return lossy.Length == 0 ? null : new Diagnostic(
            $"{Text(dtype)} loses {lossy[0].Rounding:0.0%} of the change of {lossy[0].Tensors!.Name}"
            + (lossy.Length == 1 ? "" : $", and more than {MostRounding:0%} of {lossy.Length - 1} other modules: ")
            + string.Join(", ", lossy.Skip(1).Take(MostNamed).Select(m => m.Tensors!.Name)) + (lossy.Length > MostNamed + 1 ? ", …" : ""))
        {
            Severity = Severity.Warning,
            Where = "OUT",
            Fix = "Their numbers are too small for it: write bfloat16 or float32 (dtype).",
        };
    }

    private static string Text(DType dtype) => dtype switch
    {
        DType.F16 => "float16",
        DType.BF16 => "bfloat16",
        _ => "float32",
    };
}

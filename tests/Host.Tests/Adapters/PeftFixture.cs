using System.Runtime.CompilerServices;
using Merge.Checkpoints;

namespace Host.Tests.Adapters;

/// <summary>Files that PEFT and diffusers themselves wrote, and their own figures (tests/Fixtures/Peft).</summary>
internal static class PeftFixture
{
    public static string At(params string[] parts) => Path.Combine([Folder(), .. parts]);

    public static IEnumerable<string> Cases(string kind) =>
        Directory.EnumerateDirectories(At(kind)).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal);

    /// <summary>Every tensor by name, in float32.</summary>
    public static Dictionary<string, (long[] Shape, float[] Values)> Tensors(string path)
    {
        using var file = Checkpoint.Open(path);
        return file.Tensors.ToDictionary(t => t.Key, t => (t.Value.Shape.ToArray(), WrittenTensors.Values(t.Value)));
    }

    /// <summary>‖x − y‖ / ‖y‖, in float64.</summary>
    public static double Distance(float[] x, float[] y) => Math.Sqrt(
        x.Zip(y, (a, b) => ((double)a - b) * ((double)a - b)).Sum() / Math.Max(y.Sum(b => (double)b * b), double.Epsilon));

    private static string Folder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Fixtures", "Peft"));
}

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Merge.Compute.Gpu;

namespace Host.Tests.Compute.Gpu;

/// <summary>The committed PTX is what the source beside it says.</summary>
public sealed class PtxTests
{
    [Fact]
    public void The_ptx_was_made_from_this_source()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(FixedKernels.Source)));
        Assert.True(
            FixedKernels.Ptx.StartsWith($"// SHA-256 of the source: {hash}\n", StringComparison.Ordinal),
            "kernels.ptx is older than its source: run host/Compute/Gpu/ptx.sh");
    }

    [Fact]
    public void The_ptx_rounds_every_operation_and_calls_nothing_outside()
    {
        var ptx = FixedKernels.Ptx;
        Assert.Contains(".version 6.0", ptx);
        Assert.Contains(".target sm_70", ptx);
        Assert.DoesNotContain(".extern", ptx);
        Assert.DoesNotContain(".ftz", ptx);
        // ptxas may fuse what is not said to be rounded.
        Assert.DoesNotMatch(@"\b(add|sub|mul|fma|div|sqrt|mad)\.(approx\.|full\.)?f(32|64)", ptx);
        Assert.Matches(@"\bmul\.rn\.f32", ptx);
    }

    [Fact]
    public void Every_kernel_of_the_source_is_in_the_ptx()
    {
        var kernels = Regex.Matches(FixedKernels.Source, @"__kernel void (?<name>[a-z_0-9]+)\(").Select(m => m.Groups["name"].Value)
            .Concat(Regex.Matches(FixedKernels.Source, @"^(COMBINATIONS|MATRIX_PRODUCT)\((?<name>[a-z_0-9]+),", RegexOptions.Multiline)
                .Select(m => m.Groups["name"].Value))
            .ToArray();
        Assert.True(kernels.Length >= 15, string.Join(' ', kernels));
        Assert.All(kernels, k => Assert.Contains($".visible .entry {k}(", FixedKernels.Ptx));
    }

    [ClangFact]
    public void The_compiler_gives_the_same_ptx_again()
    {
        var folder = Directory.CreateTempSubdirectory("merge-ptx-").FullName;
        try
        {
            using var made = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Sources(), "ptx.sh"), folder]))!;
            made.WaitForExit();
            Assert.Equal(0, made.ExitCode);
            Assert.Equal(FixedKernels.Ptx, File.ReadAllText(Path.Combine(folder, "kernels.ptx")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Sources([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../../host/Compute/Gpu"));

    /// <summary>A test with clang 14. Without it the source's hash is all that is compared.</summary>
    private sealed class ClangFactAttribute : FactAttribute
    {
        public ClangFactAttribute()
        {
            var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
            if (!places.Any(p => File.Exists(Path.Combine(p, "clang-14"))))
                Skip = "only where clang-14 is: the hash says whether the source is the same";
        }
    }
}

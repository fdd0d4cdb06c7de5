using System.Runtime.InteropServices;

namespace Merge.Compute.Lapack;

/// <summary>
/// The functions of LAPACK and BLAS that are used, as Fortran passes arguments: all by address, then the length of each
/// text. Integers have 32 bits. Matrices lie column by column.
/// </summary>
internal sealed unsafe class LapackFunctions
{
    public readonly delegate* unmanaged<byte*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*, int*, nuint, void> Gesdd;
    public readonly delegate* unmanaged<byte*, byte*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*, nuint, nuint, void> Gesvd;
    public readonly delegate* unmanaged<int*, int*, double*, int*, double*, double*, int*, int*, void> Gelqf;
    public readonly delegate* unmanaged<int*, int*, int*, double*, int*, double*, double*, int*, int*, void> Orglq;
    public readonly delegate* unmanaged<byte*, byte*, int*, double*, int*, double*, double*, int*, int*, int*, int*, nuint, nuint, void> Syevd;
    public readonly delegate* unmanaged<byte*, int*, double*, int*, int*, nuint, void> Potrf;
    public readonly delegate* unmanaged<byte*, byte*, byte*, byte*, int*, int*, double*, double*, int*, double*, int*, nuint, nuint, nuint, nuint, void> Trsm;
    public readonly delegate* unmanaged<byte*, byte*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*, nuint, nuint, void> Gemm;

    private LapackFunctions(nint library, string file)
    {
        Gesdd = (delegate* unmanaged<byte*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*, int*, nuint, void>)Of("dgesdd_");
        Gesvd = (delegate* unmanaged<byte*, byte*, int*, int*, double*, int*, double*, double*, int*, double*, int*, double*, int*, int*, nuint, nuint, void>)Of("dgesvd_");
        Gelqf = (delegate* unmanaged<int*, int*, double*, int*, double*, double*, int*, int*, void>)Of("dgelqf_");
        Orglq = (delegate* unmanaged<int*, int*, int*, double*, int*, double*, double*, int*, int*, void>)Of("dorglq_");
        Syevd = (delegate* unmanaged<byte*, byte*, int*, double*, int*, double*, double*, int*, int*, int*, int*, nuint, nuint, void>)Of("dsyevd_");
        Potrf = (delegate* unmanaged<byte*, int*, double*, int*, int*, nuint, void>)Of("dpotrf_");
        Trsm = (delegate* unmanaged<byte*, byte*, byte*, byte*, int*, int*, double*, double*, int*, double*, int*, nuint, nuint, nuint, nuint, void>)Of("dtrsm_");
        Gemm = (delegate* unmanaged<byte*, byte*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*, nuint, nuint, void>)Of("dgemm_");
        Name = NameOf(library, file);

        nint Of(string function) => NativeLibrary.GetExport(library, function);
    }

    /// <summary>The library, its version and, where it says so, the processor it computes for: what the bits depend on.</summary>
    public string Name { get; }

    /// <summary>Loads a library; null where it is not there or is no LAPACK.</summary>
    /// <param name="file">A path, or a name the system looks up.</param>
    public static LapackFunctions? TryLoad(string file)
    {
        if (!NativeLibrary.TryLoad(file, out var library))
            return null;
        try
        {
            // One thread each: tensors are decomposed beside each other, and sums do not depend on how many cores there are.
            if (NativeLibrary.TryGetExport(library, "openblas_set_num_threads", out var setThreads))
                ((delegate* unmanaged<int, void>)setThreads)(1);
            return new(library, file);
        }
        catch (EntryPointNotFoundException)
        {
            NativeLibrary.Free(library);
            return null;
        }
    }

    private static string NameOf(nint library, string file)
    {
        if (NativeLibrary.TryGetExport(library, "openblas_get_config", out var config)
            && Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)config)()) is { } text)
        {
            var core = NativeLibrary.TryGetExport(library, "openblas_get_corename", out var name)
                ? Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)name)())
                : null;
            return string.Join(' ', text.Split(' ').Take(2)) + (core is null ? "" : $" ({core})");
        }
        if (!NativeLibrary.TryGetExport(library, "ilaver_", out var version))
            return $"LAPACK ({Path.GetFileName(file)})";
        int major, minor, patch;
        ((delegate* unmanaged<int*, int*, int*, void>)version)(&major, &minor, &patch);
        return $"LAPACK {major}.{minor}.{patch}";
    }
}

using Merge.Compute.Lapack;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// The linear algebra of this process: a LAPACK where one is installed, else managed code. Nothing is loaded before
/// something is to be computed: most merges need none.
/// </summary>
internal sealed class LinearAlgebraChoice : INamedLinearAlgebra
{
    /// <summary>The environment variable that names a LAPACK library, or says 'none'.</summary>
    public const string Variable = "MERGE_LAPACK";

    /// <summary>What managed code is called here.</summary>
    public const string None = "none";

    // OpenBLAS before whatever stands for LAPACK: the reference implementation is slow, too.
    private static readonly string[] Libraries = ["libopenblas.so.0", "libopenblas.so", "liblapack.so.3"];

    private readonly Lazy<INamedLinearAlgebra> _chosen;

    private LinearAlgebraChoice(string? asked) => _chosen = new(() => Of(asked));

    /// <summary>As the environment says.</summary>
    public static LinearAlgebraChoice OfProcess { get; } = new(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Managed code, whatever is installed: where a plan is only looked at.</summary>
    public static LinearAlgebraChoice Managed { get; } = new(None);

    /// <summary>Whether what has been chosen is the slow one; false while nothing was computed.</summary>
    public bool IsManaged => _chosen is { IsValueCreated: true, Value: ManagedLinearAlgebra };

    public string Name => _chosen.Value.Name;

    public bool CanBeLeft => _chosen.Value.CanBeLeft;

    public long SvdBytes(long rows, long columns) => _chosen.Value.SvdBytes(rows, columns);

    /// <param name="asked">A library's path or name, "none" for managed code; null or empty: the first that is installed.</param>
    /// <exception cref="MergeException">There is no such library, or it is no LAPACK.</exception>
    public static INamedLinearAlgebra Of(string? asked)
    {
        if (asked == None)
            return new ManagedLinearAlgebra();
        if (string.IsNullOrEmpty(asked))
        {
            return Libraries.Select(LapackFunctions.TryLoad).FirstOrDefault(l => l is not null) is { } found
                ? new LapackLinearAlgebra(found)
                : new ManagedLinearAlgebra();
        }
        return LapackFunctions.TryLoad(asked) is { } named
            ? new LapackLinearAlgebra(named)
            : throw new MergeException(new Diagnostic($"'{asked}' cannot be loaded, or has no LAPACK in it")
            {
                Where = $"${Variable}",
                Expected = "a library with LAPACK and BLAS (32-bit integers), such as libopenblas.so.0, or 'none'",
                Fix = "Name another, or leave it out: an installed one is found by itself.",
            })
            { WrongUsage = true };
    }

    public Matrix Multiply(Matrix a, Matrix b) => _chosen.Value.Multiply(a, b);

    public Svd Svd(Matrix a) => _chosen.Value.Svd(a);

    public SymmetricEigen SymmetricEigen(Matrix a) => _chosen.Value.SymmetricEigen(a);

    public Qr Qr(Matrix a) => _chosen.Value.Qr(a);

    public Matrix Polar(Matrix a) => _chosen.Value.Polar(a);

    public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance) => _chosen.Value.SolvePositive(a, b, tolerance);
}

using Merge.Compute;
using Merge.Compute.Lapack;

namespace Host.Tests.Compute;

/// <summary>A test of the system's LAPACK: skipped, as unavailable, where none is installed.</summary>
public sealed class LapackFactAttribute : FactAttribute
{
    public LapackFactAttribute()
    {
        if (LinearAlgebraChoice.Of(null) is not LapackLinearAlgebra)
            Skip = "unavailable: no LAPACK (libopenblas0 is one)";
    }
}

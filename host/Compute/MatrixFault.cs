using Merge.Sdk;

namespace Merge.Compute;

/// <summary>Why a plugin's matrices cannot be computed with.</summary>
internal static class MatrixFault
{
    public static void CheckProduct(Matrix a, Matrix b)
    {
        if (a.Columns != b.Rows)
            throw MergeException.Plugin($"a {a.Rows}×{a.Columns} matrix is multiplied with one of {b.Rows}×{b.Columns}");
    }

    public static void CheckSquare(Matrix a)
    {
        if (a.Rows != a.Columns)
            throw MergeException.Plugin($"eigenvalues of a {a.Rows}×{a.Columns} matrix are asked for", "a square matrix");
    }

    public static void CheckSystem(Matrix a, Matrix b)
    {
        if (a.Rows != a.Columns || a.Rows != b.Rows)
            throw MergeException.Plugin($"a {a.Rows}×{a.Columns} matrix is solved for one of {b.Rows}×{b.Columns}");
    }

    /// <summary>A NaN is in a model, so it is the user's: no decomposition would say more than that it failed.</summary>
    public static void CheckFinite(Matrix a)
    {
        var bad = Array.FindIndex(a.Values, v => !double.IsFinite(v));
        if (bad < 0)
            return;
        throw new NonFiniteMatrix(new Diagnostic(
            $"a {a.Rows}×{a.Columns} matrix to decompose holds {(double.IsNaN(a.Values[bad]) ? "a NaN" : "an infinity")} "
            + $"in row {bad / a.Columns}, column {bad % a.Columns}")
        {
            Expected = "finite numbers",
            Fix = "Look for the model that holds it: merge inspect A B.",
        });
    }

    public static MergeException NotConverged(Matrix a) => new(new Diagnostic(
        $"the decomposition of a {a.Rows}×{a.Columns} matrix does not converge, though its numbers are finite")
    {
        Actor = Actor.Developers,
        Fix = $"Try the other linear algebra: set {LinearAlgebraChoice.Variable} to a LAPACK library, or to 'none'.",
    });
}

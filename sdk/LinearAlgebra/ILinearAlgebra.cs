namespace Merge.Sdk;

/// <summary>
/// Dense linear algebra in float64: by the system's LAPACK where one is installed, else by managed code. The same bits
/// from run to run on one machine. A matrix to decompose that holds a NaN or an infinity is refused, as the user's fault.
/// Memory is a few times that of the argument.
/// </summary>
public interface ILinearAlgebra
{
    /// <summary>A·B.</summary>
    Matrix Multiply(Matrix a, Matrix b);

    /// <summary>The thin singular value decomposition A = U·diag(σ)·Vᵀ, σ descending. V comes transposed.</summary>
    Svd Svd(Matrix a);

    /// <summary>Eigenvalues, ascending, and eigenvectors of a symmetric matrix.</summary>
    SymmetricEigen SymmetricEigen(Matrix a);

    /// <summary>The thin QR decomposition; the diagonal of R is not negative.</summary>
    Qr Qr(Matrix a);

    /// <summary>The orthogonal factor U·Vᵀ of the polar decomposition, from the thin SVD.</summary>
    Matrix Polar(Matrix a);

    /// <summary>
    /// X with A·X = B for a symmetric positive definite A, by its Cholesky factor L; null where A is not positive definite:
    /// L_jj² is no more than <paramref name="tolerance"/> of A_jj, for some j.
    /// </summary>
    Matrix? SolvePositive(Matrix a, Matrix b, double tolerance);
}

/// <summary>A = U·diag(σ)·Vᵀ for an m×n matrix, k = min(m, n).</summary>
/// <param name="U">m×k, orthonormal columns: the left singular vectors.</param>
/// <param name="Sigma">k singular values, descending: an array, no matrix.</param>
/// <param name="Vt">Vᵀ, k×n, orthonormal rows: V comes transposed, one right singular vector a row.</param>
public sealed record Svd(Matrix U, double[] Sigma, Matrix Vt);

/// <summary>A = V·diag(λ)·Vᵀ for a symmetric n×n matrix.</summary>
/// <param name="Values">n eigenvalues, ascending.</param>
/// <param name="Vectors">n×n, one eigenvector a column.</param>
public sealed record SymmetricEigen(double[] Values, Matrix Vectors);

/// <summary>A = Q·R for an m×n matrix, k = min(m, n).</summary>
/// <param name="Q">m×k, orthonormal columns.</param>
/// <param name="R">k×n, upper triangular.</param>
public sealed record Qr(Matrix Q, Matrix R);

using Merge.Sdk;

namespace Merge.Compute.Lapack;

/// <summary>
/// Linear algebra by a LAPACK of the system, on the calling thread. A matrix that lies row by row is its own transpose to
/// LAPACK: factors are asked for in the other order, and nothing is turned over.
/// </summary>
internal sealed unsafe class LapackLinearAlgebra(LapackFunctions lapack) : INamedLinearAlgebra
{
    private const byte All = (byte)'V';
    private const byte Plain = (byte)'N';
    private const byte Right = (byte)'R';
    private const byte Thin = (byte)'S';
    private const byte Transposed = (byte)'T';
    private const byte Upper = (byte)'U';
    private const long IntegersOfDivision = 8;

    public string Name => lapack.Name;

    // It may be anywhere in the library's memory, which is taken away at the end.
    public bool CanBeLeft => false;

    public long SvdBytes(long rows, long columns)
    {
        var size = Math.Min(rows, columns);
        var numbers = (rows * columns) + (size * (rows + columns));
        if (size == 0 || rows > int.MaxValue || columns > int.MaxValue)
            return sizeof(double) * numbers;
        // As in TryDivide: of the matrix turned over.
        byte thin = Thin;
        int n = (int)columns, m = (int)rows, k = (int)size, ask = -1, integers, info;
        double nothing, divide, iterate;
        lapack.Gesdd(&thin, &n, &m, &nothing, &n, &nothing, &nothing, &n, &nothing, &k, &divide, &ask, &integers, &info, 1);
        lapack.Gesvd(&thin, &thin, &n, &m, &nothing, &n, &nothing, &nothing, &n, &nothing, &k, &iterate, &ask, &info, 1, 1);
        return (sizeof(double) * (numbers + (long)Math.Max(IsPossible(divide) ? divide : 0, iterate))) + (IntegersOfDivision * sizeof(int) * size);
    }

    public Matrix Multiply(Matrix a, Matrix b)
    {
        MatrixFault.CheckProduct(a, b);
        var product = new Matrix(a.Rows, b.Columns);
        if (product.Values.Length == 0 || a.Columns == 0)
            return product;
        // (A·B)ᵀ = Bᵀ·Aᵀ.
        byte plain = Plain;
        int rows = b.Columns, columns = a.Rows, inner = a.Columns;
        double one = 1, zero = 0;
        fixed (double* left = b.Values, right = a.Values, to = product.Values)
            lapack.Gemm(&plain, &plain, &rows, &columns, &inner, &one, left, &rows, right, &inner, &zero, to, &rows, 1, 1);
        return product;
    }

    public Svd Svd(Matrix a)
    {
        var size = Math.Min(a.Rows, a.Columns);
        var svd = new Svd(new(a.Rows, size), new double[size], new(size, a.Columns));
        if (size == 0)
            return svd;
        MatrixFault.CheckFinite(a);
        // Dividing is several times faster; it needs 4k² numbers, and in rare cases does not converge.
        if (!TryDivide(a, svd) && !TryIterate(a, svd))
            throw MatrixFault.NotConverged(a);
        SignConvention.Apply(svd);
        return svd;
    }

    public SymmetricEigen SymmetricEigen(Matrix a)
    {
        MatrixFault.CheckSquare(a);
        var values = new double[a.Rows];
        if (a.Rows == 0)
            return new(values, new(0, 0));
        MatrixFault.CheckFinite(a);
        double[] vectors = [.. a.Values];
        byte wanted = All, upper = Upper;
        int n = a.Rows, ask = -1, integers, info;
        double numbers;
        fixed (double* v = vectors, w = values)
        {
            lapack.Syevd(&wanted, &upper, &n, v, &n, w, &numbers, &ask, &integers, &ask, &info, 1, 1);
            var length = checked((int)numbers);
            using var work = new NativeNumbers(length);
            fixed (int* more = new int[integers])
                lapack.Syevd(&wanted, &upper, &n, v, &n, w, work.Address, &length, more, &integers, &info, 1, 1);
        }
        if (info != 0)
            throw MatrixFault.NotConverged(a);
        var turned = new Matrix(n, n, vectors).Transpose();
        SignConvention.Apply(turned);
        return new(values, turned);
    }

    public Qr Qr(Matrix a)
    {
        var size = Math.Min(a.Rows, a.Columns);
        var (q, r) = (new Matrix(a.Rows, size), new Matrix(size, a.Columns));
        if (size == 0)
            return new(q, r);
        MatrixFault.CheckFinite(a);
        // Aᵀ = L·Q', so R = Lᵀ and Q = Q'ᵀ: both lie as they are wanted.
        using var factored = NativeNumbers.CopyOf(a.Values);
        var f = factored.Address;
        int n = a.Columns, m = a.Rows, k = size, length = -1, info;
        double numbers;
        fixed (double* tau = new double[size], to = q.Values)
        {
            lapack.Gelqf(&n, &m, f, &n, tau, &numbers, &length, &info);
            length = checked((int)numbers);
            using (var work = new NativeNumbers(length))
                lapack.Gelqf(&n, &m, f, &n, tau, work.Address, &length, &info);
            for (var i = 0; i < k; i++)
                new Span<double>(f + ((long)i * n) + i, n - i).CopyTo(r.Row(i)[i..]);
            for (var j = 0; j < m; j++)
                new Span<double>(f + ((long)j * n), k).CopyTo(q.Row(j));
            length = -1;
            lapack.Orglq(&k, &m, &k, to, &k, tau, &numbers, &length, &info);
            length = checked((int)numbers);
            using (var work = new NativeNumbers(length))
                lapack.Orglq(&k, &m, &k, to, &k, tau, work.Address, &length, &info);
        }
        SignConvention.Apply(q, r);
        return new(q, r);
    }

    public Matrix Polar(Matrix a)
    {
        var svd = Svd(a);
        return Multiply(svd.U, svd.Vt);
    }

    public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance)
    {
        MatrixFault.CheckSystem(a, b);
        var solution = new Matrix(b.Rows, b.Columns, [.. b.Values]);
        if (solution.Values.Length == 0)
            return solution;
        MatrixFault.CheckFinite(a);
        byte upper = Upper, plain = Plain, transposed = Transposed, right = Right;
        int n = a.Rows, many = b.Columns, info;
        double one = 1;
        using var factor = NativeNumbers.CopyOf(a.Values);
        var f = factor.Address;
        fixed (double* x = solution.Values)
        {
            lapack.Potrf(&upper, &n, f, &n, &info, 1);
            for (var j = 0; info == 0 && j < n; j++)
            {
                var pivot = f[((long)j * n) + j];
                if (!(pivot * pivot > tolerance * a[j, j]))
                    return null;
            }
            if (info != 0)
                return null;
            // A = UᵀU, and Xᵀ = Bᵀ·U⁻¹·U⁻ᵀ.
            lapack.Trsm(&right, &upper, &plain, &plain, &many, &n, &one, f, &n, x, &many, 1, 1, 1, 1);
            lapack.Trsm(&right, &upper, &transposed, &plain, &many, &n, &one, f, &n, x, &many, 1, 1, 1, 1);
        }
        return solution;
    }

    // Lengths have 32 bits.
    private static bool IsPossible(double length) => length is > 0 and < int.MaxValue;

    private bool TryDivide(Matrix a, Svd into)
    {
        using var values = NativeNumbers.CopyOf(a.Values);
        var f = values.Address;
        byte thin = Thin;
        int n = a.Columns, m = a.Rows, k = into.Sigma.Length, length = -1, info;
        double numbers;
        fixed (double* s = into.Sigma, v = into.Vt.Values, u = into.U.Values)
        fixed (int* integers = new int[IntegersOfDivision * k])
        {
            lapack.Gesdd(&thin, &n, &m, f, &n, s, v, &n, u, &k, &numbers, &length, integers, &info, 1);
            if (info != 0 || !IsPossible(numbers))
                return false;
            length = (int)numbers;
            using var work = new NativeNumbers(length);
            lapack.Gesdd(&thin, &n, &m, f, &n, s, v, &n, u, &k, work.Address, &length, integers, &info, 1);
        }
        return info == 0;
    }

    private bool TryIterate(Matrix a, Svd into)
    {
        using var values = NativeNumbers.CopyOf(a.Values);
        var f = values.Address;
        byte thin = Thin;
        int n = a.Columns, m = a.Rows, k = into.Sigma.Length, length = -1, info;
        double numbers;
        fixed (double* s = into.Sigma, v = into.Vt.Values, u = into.U.Values)
        {
            lapack.Gesvd(&thin, &thin, &n, &m, f, &n, s, v, &n, u, &k, &numbers, &length, &info, 1, 1);
            length = checked((int)numbers);
            using var work = new NativeNumbers(length);
            lapack.Gesvd(&thin, &thin, &n, &m, f, &n, s, v, &n, u, &k, work.Address, &length, &info, 1, 1);
        }
        return info == 0;
    }
}

using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using Merge.Sdk;

namespace Merge.Plugin.Searchers;

/// <summary>
/// The normal distribution N(m, σ²C) of CMA-ES and how it learns from ranked points: the tutorial's figure 6, its letters.
/// </summary>
internal sealed class CmaDistribution
{
    // Beyond, float64 no longer tells the axes apart.
    private const double MostCondition = 1e14;

    private readonly CmaSettings _settings;
    private readonly double _firstSigma;
    private readonly Vector<double> _pSigma;
    private readonly Vector<double> _pC;
    private Matrix<double> _c;
    private Matrix<double> _b;
    private Vector<double> _d;
    private int _generation;
    private int _decomposed;

    public CmaDistribution(CmaSettings settings, double[] mean, double sigma)
    {
        (_settings, _firstSigma, Sigma) = (settings, sigma, sigma);
        Mean = DenseVector.OfArray(mean);
        _pSigma = DenseVector.Create(settings.N, 0);
        _pC = DenseVector.Create(settings.N, 0);
        _c = DenseMatrix.CreateIdentity(settings.N);
        _b = DenseMatrix.CreateIdentity(settings.N);
        _d = DenseVector.Create(settings.N, 1);
    }

    /// <summary>m.</summary>
    public Vector<double> Mean { get; private set; }

    /// <summary>σ.</summary>
    public double Sigma { get; private set; }

    /// <summary>Mean variance of a coordinate.</summary>
    public double Variance => Sigma * Sigma * _c.Trace() / _settings.N;

    /// <summary>It has shrunk to nothing beside where it began, or to a needle.</summary>
    public bool IsDegenerate =>
        !double.IsFinite(Sigma)
        || Sigma * _d.Maximum() < 1e-12 * _firstSigma
        || _d.Maximum() * _d.Maximum() > MostCondition * _d.Minimum() * _d.Minimum();

    /// <summary>y ~ N(0, C): the point is m + σy.</summary>
    public Vector<double> Draw(SearchRandom random) =>
        _b * _d.PointwiseMultiply(DenseVector.Create(_settings.N, _ => random.Normal()));

    /// <summary>Makes the next points more likely near the good ones.</summary>
    /// <param name="ranked">y of the points that were scored, best first; at most λ.</param>
    public void Learn(IReadOnlyList<Vector<double>> ranked)
    {
        var s = _settings;
        _generation++;
        // Where points have failed, fewer are ranked: those in front keep their weights' proportions.
        var best = ranked.Take(s.Mu).ToArray();
        var share = s.Weights.Take(best.Length).Sum();
        var mean = Sum(best.Select((y, i) => y * (s.Weights[i] / share)));
        Mean += Sigma * mean;

        var whitened = InverseRoot(mean);
        Decay(_pSigma, s.CSigma, whitened);
        var length = _pSigma.L2Norm();
        var expected = Math.Sqrt(1 - Math.Pow(1 - s.CSigma, 2 * _generation)) * s.ExpectedNorm;
        var moves = length / expected < 1.4 + (2 / (s.N + 1.0));
        Decay(_pC, s.CC, moves ? mean : mean * 0);

        var weights = s.Weights.Take(ranked.Count).ToArray();
        var deltaH = moves ? 0 : s.CC * (2 - s.CC);
        var rankMu = Sum(ranked.Select((y, i) => Outer(y, weights[i] >= 0 ? weights[i]
            : weights[i] * s.N / Math.Max(1e-300, Squared(InverseRoot(y))))));
        _c = (_c * (1 + (s.C1 * deltaH) - s.C1 - (s.CMu * weights.Sum()))) + Outer(_pC, s.C1) + (rankMu * s.CMu);
        Sigma *= Math.Exp(Math.Min(1, s.CSigma / s.DSigma * ((length / s.ExpectedNorm) - 1)));

        // The tutorial's B.2: as rarely as keeps the cost of a point at O(n²).
        if (_generation - _decomposed > 1 / ((s.C1 + s.CMu) * s.N * 10))
            Decompose();
    }

    /// <summary>All points of a generation failed: stays nearer to the mean.</summary>
    public void Shrink() => Sigma /= 2;

    // p ← (1 − c) p + √(c (2 − c) μ_eff) y.
    private void Decay(Vector<double> path, double c, Vector<double> y) =>
        path.Multiply(1 - c).Add(y * Math.Sqrt(c * (2 - c) * _settings.MuEff)).CopyTo(path);

    /// <summary>C^(−1/2) y.</summary>
    private Vector<double> InverseRoot(Vector<double> y) => _b * _b.TransposeThisAndMultiply(y).PointwiseDivide(_d);

    private void Decompose()
    {
        _decomposed = _generation;
        _c = (_c + _c.Transpose()) / 2;
        var eigen = _c.Evd(Symmetricity.Symmetric);
        var values = eigen.EigenValues.Real();
        // Rounding may leave a tiny variance below 0.
        var floor = values.Maximum() / (10 * MostCondition);
        _b = eigen.EigenVectors;
        _d = values.Map(v => Math.Sqrt(Math.Max(v, floor)));
    }

    private static double Squared(Vector<double> y) => y.DotProduct(y);

    private static Matrix<double> Outer(Vector<double> y, double weight) => y.OuterProduct(y) * weight;

    private static Vector<double> Sum(IEnumerable<Vector<double>> terms) => terms.Aggregate((a, b) => a + b);

    private static Matrix<double> Sum(IEnumerable<Matrix<double>> terms) => terms.Aggregate((a, b) => a + b);
}

namespace Merge.Plugin.Searchers;

/// <summary>
/// The strategy parameters that follow from dimension n and population λ: Hansen's tutorial (arXiv:1604.00772), table 1
/// and equations 49–58, with its letters.
/// </summary>
internal sealed class CmaSettings
{
    public CmaSettings(int n, int lambda)
    {
        N = n;
        Lambda = lambda;
        double[] raw = [.. Enumerable.Range(1, lambda).Select(i => Math.Log((lambda + 1) / 2.0) - Math.Log(i))];
        Mu = lambda / 2;
        MuEff = EffectiveMass(raw.Take(Mu));
        var muEffMinus = EffectiveMass(raw.Skip(Mu));

        CSigma = (MuEff + 2) / (n + MuEff + 5);
        DSigma = 1 + (2 * Math.Max(0, Math.Sqrt((MuEff - 1) / (n + 1)) - 1)) + CSigma;
        CC = (4 + (MuEff / n)) / (n + 4 + (2 * MuEff / n));
        C1 = 2 / (((n + 1.3) * (n + 1.3)) + MuEff);
        CMu = Math.Min(1 - C1, 2 * (0.25 + MuEff + (1 / MuEff) - 2) / (((n + 2.0) * (n + 2.0)) + MuEff));
        ExpectedNorm = Math.Sqrt(n) * (1 - (1 / (4.0 * n)) + (1 / (21.0 * n * n)));

        // A sum of the negative weights that keeps C positive definite.
        var negativeSum = Math.Min(
            1 + (C1 / CMu),
            Math.Min(1 + (2 * muEffMinus / (MuEff + 2)), (1 - C1 - CMu) / (n * CMu)));
        var positive = raw.Where(w => w > 0).Sum();
        var negative = -raw.Where(w => w < 0).Sum();
        Weights = [.. raw.Select(w => w >= 0 ? w / positive : w * negativeSum / negative)];
    }

    /// <summary>n.</summary>
    public int N { get; }

    /// <summary>λ.</summary>
    public int Lambda { get; }

    /// <summary>μ: as many of the best move the mean.</summary>
    public int Mu { get; }

    /// <summary>w_1 … w_λ, best first: μ that add to 1, then none above 0.</summary>
    public double[] Weights { get; }

    public double MuEff { get; }

    public double CSigma { get; }

    public double DSigma { get; }

    public double CC { get; }

    public double C1 { get; }

    public double CMu { get; }

    /// <summary>E‖N(0, I)‖.</summary>
    public double ExpectedNorm { get; }

    /// <summary>4 + ⌊3 ln n⌋.</summary>
    public static int DefaultPopulation(int n) => 4 + (int)(3 * Math.Log(n));

    private static double EffectiveMass(IEnumerable<double> weights)
    {
        double[] w = [.. weights];
        var squares = w.Sum(x => x * x);
        return squares == 0 ? 0 : w.Sum() * w.Sum() / squares;
    }
}

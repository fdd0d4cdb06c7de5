namespace Merge.Adapters;

/// <summary>How many singular triples of a module's change an adapter keeps.</summary>
/// <param name="Rank">As many, or all there are where there are fewer.</param>
/// <param name="KeptEnergy">As few as keep this share of ‖ΔW‖²_F, 0 to 1; goes together with a rank as its limit.</param>
internal sealed record RankChoice(int? Rank, double? KeptEnergy)
{
    // What float32 cannot tell from zero beside the largest.
    private const double Vanishing = 1e-7;

    /// <summary>The rank to keep of triples that hold a given total energy.</summary>
    /// <param name="sigma">Descending; all that may be kept.</param>
    /// <param name="energy">‖ΔW‖²_F.</param>
    public int Of(double[] sigma, double energy)
    {
        var rank = 0;
        var kept = 0.0;
        while (rank < sigma.Length && rank < (Rank ?? int.MaxValue) && sigma[rank] > Vanishing * sigma[0]
            && (KeptEnergy is not { } share || kept < share * energy))
        {
            kept += sigma[rank] * sigma[rank];
            rank++;
        }
        return rank;
    }
}

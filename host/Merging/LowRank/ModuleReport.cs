namespace Merge.Merging.LowRank;

/// <summary>What became of one module of a merged adapter.</summary>
/// <param name="Module">Its name.</param>
/// <param name="Rank">0: nothing is left of it, and the adapter does not have it.</param>
/// <param name="RelativeError">‖ΔW − B·A‖_F / ‖ΔW‖_F; 0 where it is exact.</param>
internal sealed record ModuleReport(string Module, int Rank, double RelativeError);

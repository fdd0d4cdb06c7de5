using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging.LowRank;

/// <summary>A merge whose result is an adapter.</summary>
/// <param name="Plan">Its tensors are the modules' weights: each model its task vector s·B·A, the base zeros.</param>
/// <param name="Adapters">What is merged, in the plan's order of models; empty where the adapter is extracted.</param>
/// <param name="Modules">By the weight's name: the module in each adapter, and one that shows its layout.</param>
/// <param name="Saved">By the parameter's name: where each adapter has it whole; null where one has not.</param>
/// <param name="Choice">How much to keep; null: all.</param>
/// <param name="OutType">What factors are written as.</param>
/// <param name="BaseModel">The model it belongs to; null: what the adapters say.</param>
internal sealed record AdapterMerge(
    MergePlan Plan,
    IReadOnlyList<Adapter> Adapters,
    IReadOnlyDictionary<string, (AdapterModule Like, IReadOnlyList<AdapterModule?> Each)> Modules,
    IReadOnlyDictionary<string, IReadOnlyList<TensorSource?>> Saved,
    RankChoice? Choice,
    Merge.Sdk.DType OutType,
    string? BaseModel)
{
    public bool IsKohya => Adapters.Count > 0 && Adapters.All(a => a.Config is null);

    public bool FanInFanOut => Modules.Values.Any(m => m.Like is { Layout: FactorLayout.Transposed, IsEmbedding: false });
}

/// <summary>What became of one module.</summary>
/// <param name="Rank">0: nothing is left of it, and the adapter does not have it.</param>
/// <param name="RelativeError">‖ΔW − s·B·A‖_F / ‖ΔW‖_F.</param>
internal sealed record ModuleReport(string Module, int Rank, double RelativeError);

using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging.LowRank;

/// <summary>A folder that looks like a merged adapter, with no values, and the ranks that are known before it is merged:
/// Σ r, or the largest that is asked for.</summary>
internal static class AdapterSketch
{
    public static void Write(MergePlan plan, string folder)
    {
        var output = plan.Adapter!;
        OutputWriter.Create(folder, plan.Layout).Dispose();
        if (!output.HasConfig)
            return;
        File.WriteAllText(Path.Combine(folder, AdapterConfig.FileName), MergedConfig.Text(
            output.Adapters, AdapterLayout.Modules(output).ToDictionary(m => m.Name, m => m.Rank), [.. output.Saved.Keys], output.BaseModel, [], output.FanInFanOut));
    }
}

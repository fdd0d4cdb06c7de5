using Merge.Planning;

namespace Merge.Merging.LowRank;

/// <summary>Work on one module that reads no blocks: it begins when there is memory for it.</summary>
/// <param name="context">The merge.</param>
/// <param name="plan">The module's weight.</param>
/// <param name="bytes">What it holds.</param>
/// <param name="work">What is done, once.</param>
internal sealed class WorkPhase(MergeContext context, TensorPlan plan, long bytes, Action work)
    : Phase(context, plan, [], plan.Info.Count)
{
    public override long HeldBytes => bytes;

    public override void Run(int part, Worker worker) => work();
}

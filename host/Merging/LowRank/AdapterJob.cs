using Merge.Adapters;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>The merged change of one module, as factors.</summary>
/// <param name="Left">[m, r], as the weight is stored.</param>
/// <param name="Right">[r, n].</param>
/// <param name="RelativeError">‖ΔW − L·R‖_F / ‖ΔW‖_F; 0 where it is exact.</param>
internal sealed record MergedModule(float[] Left, float[] Right, int Rank, double RelativeError)
{
    /// <summary>What is written as it is, side by side, once all ranks are known; then Left and Right are empty.</summary>
    public ConcatenatedFactors? Concatenated { get; init; }
}

/// <summary>
/// One module of an adapter from plan to factors: ask the strategy, which sees task vectors s·B·A on a base of zeros; a
/// linear combination is exact by concatenation (or truncated through the factors), anything else is decomposed.
/// </summary>
/// <param name="context">The merge.</param>
/// <param name="plan">The module's weight.</param>
/// <param name="output">How it is written.</param>
/// <param name="done">Takes the result.</param>
internal sealed class AdapterJob(
    MergeContext context,
    TensorPlan plan,
    AdapterOutput output,
    Action<MergedModule> done) : IJob
{
    private readonly RankChoice? _choice = output.ChoiceOf(output.Modules[plan.Info.Name].Like.Name);
    private readonly ScanOf _scan = new(context, plan);
    private SweepPump? _pump;
    private Task<Func<MergedModule>>? _work;
    private WorkMemory _atLast;
    private bool _isDone;

    public Phase? Next()
    {
        _pump ??= new(context, plan, _scan);
        _work ??= StrategyCall.Run(context.Plan.Strategy, plan.Info.Name, Merge);
        if (_pump.Next(_work) is { } sweep)
            return sweep;
        if (!_isDone)
        {
            _isDone = true;
            if (_atLast.Why is { } why)
                context.RequireMemory(plan, why, 0, _atLast.Work);
            return new WorkPhase(context, plan, _atLast.Work, () => done(_work.Result()));
        }
        _work = null;
        _pump.Free();
        context.Progress.FinishedTensor();
        context.Progress.Finish(plan.Info.Count);
        return null;
    }

    /// <returns>What is left to be done once there is memory for it.</returns>
    private async Task<Func<MergedModule>> Merge()
    {
        if (output.IsExtracted)
            return await Decompose(b => b.Deltas[0]);
        var merge = await context.Plan.Strategy.PlanTensor(_scan.Tensor, plan.Options!, context.Survey);
        if (LinearPart.Of(context.Plan, plan, _scan.Tensor, merge) is { } weighted)
            return Combine(weighted);
        if (merge is LowRankMerge { B: var b, A: var a })
        {
            NeedsFactors(b.Columns, b.Columns);
            return () => Reduce(new Factors(
                Array.ConvertAll(b.Values, v => (float)v), Array.ConvertAll(a.Values, v => (float)v), b.Columns, a.Columns));
        }
        return await Decompose(((ExpressionMerge)merge).Merge);
    }

    private async Task<Func<MergedModule>> Decompose(Func<Block, TensorExpr> value)
    {
        var svd = await RangeFinder.Decompose(
            _scan.Tensor, value, _choice!, context.Seed, width => _pump!.Work = WorkMemory.OfBasis(plan, width));
        return () => Factored(svd);
    }

    private void NeedsFactors(int rank, int largest) =>
        _atLast = WorkMemory.OfFactors(plan, rank, largest, Math.Min(rank, _choice?.Rank ?? rank));

    private Func<MergedModule> Combine(IReadOnlyList<(AdapterModule Module, double Weight)> used)
    {
        if (used.Count == 0)
            return () => new([], [], 0, 0);
        // What rounding takes of 16 bits is known where the factors are in memory.
        if (output.IsWrittenStraight(plan.Info.Name))
        {
            var side = new ConcatenatedFactors(context, used);
            return () => new([], [], side.Rank, 0) { Concatenated = side };
        }
        // Averages have all of them at once, too.
        NeedsFactors(used.Sum(m => m.Module.Rank), used.Max(m => m.Module.Rank));
        return () =>
        {
            context.Progress.Read(used.Sum(m => m.Module.A.Length + m.Module.B.Length));
            return Reduce(output.Combination == AdapterCombination.Exact
                ? Factors.Of(used) : FactorAverage.Of(used, output.Combination));
        };
    }

    private MergedModule Reduce(Factors factors) => _choice is null
        ? new(factors.Left, factors.Right, factors.Rank, 0)
        : Factored(FactorAlgebra.Decompose(factors, _choice, context.Algebra.For(plan)));

    /// <summary>U√Σ and √ΣVᵀ: factors of like size keep their precision in small dtypes.</summary>
    private static MergedModule Factored(TruncatedSvd svd)
    {
        var roots = svd.Sigma.Select(Math.Sqrt).ToArray();
        var left = new float[svd.U.Rows * svd.Rank];
        for (var i = 0; i < svd.U.Rows; i++)
        {
            for (var k = 0; k < svd.Rank; k++)
                left[(i * svd.Rank) + k] = (float)(svd.U[i, k] * roots[k]);
        }
        var right = new float[svd.Rank * svd.Vt.Columns];
        for (var k = 0; k < svd.Rank; k++)
        {
            var row = svd.Vt.Row(k);
            for (var j = 0; j < row.Length; j++)
                right[(k * row.Length) + j] = (float)(row[j] * roots[k]);
        }
        return new(left, right, svd.Rank, svd.RelativeError);
    }
}

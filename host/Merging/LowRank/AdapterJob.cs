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
/// <param name="modules">The module in each of the models; null where one leaves it alone. None in an extraction.</param>
/// <param name="done">Takes the result.</param>
internal sealed class AdapterJob(
    MergeContext context,
    TensorPlan plan,
    AdapterOutput output,
    IReadOnlyList<AdapterModule?> modules,
    Action<MergedModule> done) : IJob
{
    private readonly RankChoice? _choice = output.ChoiceOf(output.Modules[plan.Info.Name].Like.Name);
    private readonly ScanOf _scan = new(context, plan);
    private SweepPump? _pump;
    private Task<MergedModule>? _work;

    public Phase? Next()
    {
        _pump ??= new(context, plan, _scan);
        _work ??= StrategyCall.Run(context.Plan.Strategy, plan.Info.Name, Merge);
        if (_pump.Next(_work) is { } sweep)
            return sweep;
        done(_work.Result);
        context.Progress.FinishedTensor();
        context.Progress.Finish(plan.Info.Count);
        return null;
    }

    private async Task<MergedModule> Merge()
    {
        if (output.IsExtracted)
            return Factored(await RangeFinder.Decompose(_scan.Tensor, b => b.Deltas[0], _choice!, context.Seed));
        var merge = await context.Plan.Strategy.PlanTensor(_scan.Tensor, plan.Options!, context.Survey);
        if (Weights(merge) is { } weights)
            return Concatenate(weights);
        if (output.Combination != AdapterCombination.Exact)
        {
            throw new MergeException(new Diagnostic(
                $"{context.Plan.Strategy.Info.Id} does not combine the adapters linearly: there are no factors to average")
            {
                Where = plan.Info.Name,
                Expected = "a linear method where 'adapter' says 'combine'",
                Fix = "Leave 'combine' out, and give a rank or an energy.",
            })
            { WrongUsage = true };
        }
        if (merge is LowRankMerge { B: var b, A: var a })
        {
            var product = new Factors(
                Array.ConvertAll(b.Values, v => (float)v), Array.ConvertAll(a.Values, v => (float)v), b.Columns, a.Columns);
            return Reduce(product);
        }
        if (_choice is null)
        {
            throw new MergeException(new Diagnostic(
                $"{context.Plan.Strategy.Info.Id} does not combine the adapters linearly: the result is no product of few factors")
            {
                Where = plan.Info.Name,
                Expected = "a rank or an energy to keep",
                Fix = "Add 'adapter: {rank: 32}' or 'adapter: {energy: 0.99}' to the recipe.",
            })
            { WrongUsage = true };
        }
        var expression = ((ExpressionMerge)merge).Merge;
        return Factored(await RangeFinder.Decompose(_scan.Tensor, expression, _choice, context.Seed));
    }

    // Of a linear combination the weight of each model; null for anything else.
    private double[]? Weights(TensorMerge merge)
    {
        // Checks what a strategy may have got wrong.
        _ = Lowered.From(merge, plan, _scan.Tensor);
        return merge switch
        {
            CombinationMerge combination => [.. combination.Weights],
            CopyMerge copy => [.. modules.Select((_, i) => i == copy.Model ? 1.0 : 0.0)],
            _ => null,
        };
    }

    private MergedModule Concatenate(double[] weights)
    {
        (AdapterModule Module, double Weight)[] used =
        [
            .. modules.Zip(weights).Where(m => m.First is not null && m.Second != 0).Select(m => (m.First!, m.Second)),
        ];
        if (used.Length == 0)
            return new([], [], 0, 0);
        if (_choice is null && output.Combination == AdapterCombination.Exact)
        {
            var side = new ConcatenatedFactors(context, used);
            return new([], [], side.Rank, 0) { Concatenated = side };
        }
        context.Progress.Read(used.Sum(m => m.Module.A.Length + m.Module.B.Length));
        return Reduce(output.Combination == AdapterCombination.Exact
            ? Factors.Of(used) : FactorAverage.Of(plan.Info.Name, used, output.Combination));
    }

    private MergedModule Reduce(Factors factors) => _choice is null
        ? new(factors.Left, factors.Right, factors.Rank, 0)
        : Factored(FactorAlgebra.Decompose(factors, _choice, context.LinearAlgebra));

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

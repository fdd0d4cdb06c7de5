namespace Merge.Sdk;

/// <summary>
/// A merge method. Derive from <see cref="MergeStrategy{TOptions}"/>, or from
/// <see cref="MergeStrategy{TOptions,TSurvey}"/> where statistics of the whole model come first.
/// One instance plans many tensors at once on several threads: it keeps no state.
/// </summary>
public abstract class MergeStrategy
{
    private protected MergeStrategy()
    {
    }

    /// <summary>How the method presents itself.</summary>
    public abstract StrategyInfo Info { get; }

    internal abstract Type OptionsType { get; }

    internal abstract bool HasSurvey { get; }

    internal abstract ModelScan CreateModelScan(IReadOnlyList<(TensorScan Tensor, object Options)> tensors);

    internal abstract ValueTask<object?> SurveyModel(ModelScan model);

    internal abstract ValueTask<TensorMerge> PlanTensor(TensorScan tensor, object options, object? survey);
}

/// <summary>A merge method that looks at one tensor at a time.</summary>
/// <typeparam name="TOptions">
/// A record whose properties carry <see cref="ParameterAttribute"/>; they arrive final for the tensor at hand.
/// </typeparam>
public abstract class MergeStrategy<TOptions> : MergeStrategy
    where TOptions : class, new()
{
    internal sealed override Type OptionsType => typeof(TOptions);

    internal override bool HasSurvey => false;

    /// <summary>
    /// Says how one tensor is merged. Declare every statistic before the first await: all that is pending then is
    /// computed in one sweep over the bytes. Nothing but a <see cref="Stat{T}"/> of this scan may be awaited.
    /// Not called for empty tensors nor for those that are copied (integers, bools).
    /// </summary>
    protected abstract ValueTask<TensorMerge> Plan(TensorScan tensor, TOptions options);

    internal override ModelScan CreateModelScan(IReadOnlyList<(TensorScan Tensor, object Options)> tensors) =>
        new ModelScan<TOptions>([.. tensors.Select(t => new SurveyedTensor<TOptions>(t.Tensor, (TOptions)t.Options))]);

    internal override ValueTask<object?> SurveyModel(ModelScan model) => ValueTask.FromResult<object?>(null);

    internal override ValueTask<TensorMerge> PlanTensor(TensorScan tensor, object options, object? survey) =>
        Plan(tensor, (TOptions)options);
}

/// <summary>A merge method that first surveys the whole model, then plans tensor by tensor.</summary>
/// <typeparam name="TOptions">The options record, see <see cref="MergeStrategy{TOptions}"/>.</typeparam>
/// <typeparam name="TSurvey">What the survey found; handed, unchanged, to every <c>Plan</c>.</typeparam>
public abstract class MergeStrategy<TOptions, TSurvey> : MergeStrategy<TOptions>
    where TOptions : class, new()
    where TSurvey : notnull
{
    internal sealed override bool HasSurvey => true;

    /// <summary>
    /// Takes statistics of the whole model, in one pass over its bytes for each await. Nothing but a
    /// <see cref="Stat{T}"/> of the model or of its tensors may be awaited.
    /// </summary>
    protected abstract ValueTask<TSurvey> Survey(ModelScan<TOptions> model);

    /// <summary>Says how one tensor is merged, given what the survey found.</summary>
    protected abstract ValueTask<TensorMerge> Plan(TensorScan tensor, TOptions options, TSurvey survey);

    /// <summary>Not used: the plan with the survey is.</summary>
    protected sealed override ValueTask<TensorMerge> Plan(TensorScan tensor, TOptions options) =>
        throw new NotSupportedException();

    internal sealed override async ValueTask<object?> SurveyModel(ModelScan model) =>
        await Survey((ModelScan<TOptions>)model);

    internal sealed override ValueTask<TensorMerge> PlanTensor(TensorScan tensor, object options, object? survey) =>
        Plan(tensor, (TOptions)options, (TSurvey)survey!);
}

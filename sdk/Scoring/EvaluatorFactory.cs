namespace Merge.Sdk;

/// <summary>How an evaluator presents itself.</summary>
/// <param name="Id">Its name in a recipe (<c>evaluate: {plugin: …}</c>): lower case, digits, <c>_</c> or <c>-</c>.</param>
/// <param name="Name">Its name in print.</param>
/// <param name="Text">One line: what it measures, on which data.</param>
public sealed record EvaluatorInfo(string Id, string Name, string? Text = null);

/// <summary>An evaluator a plugin offers. Derive from <see cref="EvaluatorFactory{TOptions}"/>.</summary>
public abstract class EvaluatorFactory
{
    private protected EvaluatorFactory()
    {
    }

    /// <summary>How the evaluator presents itself.</summary>
    public abstract EvaluatorInfo Info { get; }

    internal abstract Type OptionsType { get; }

    internal abstract IEvaluator OpenWith(object options);
}

/// <summary>An evaluator a plugin offers.</summary>
/// <typeparam name="TOptions">A record whose properties carry <see cref="ParameterAttribute"/>; none per model.</typeparam>
public abstract class EvaluatorFactory<TOptions> : EvaluatorFactory
    where TOptions : class, new()
{
    internal sealed override Type OptionsType => typeof(TOptions);

    /// <summary>Loads what every evaluation needs (data, a tokenizer …); called once a search.</summary>
    /// <exception cref="MergeException">The data is not there, or an option does not fit it.</exception>
    protected abstract IEvaluator Open(TOptions options);

    internal sealed override IEvaluator OpenWith(object options) => Open((TOptions)options);
}

using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>One thing a plugin offers: a strategy, a searcher or an evaluator; its info was asked for once.</summary>
internal abstract record PluginPart
{
    /// <summary>What it is, in words.</summary>
    public abstract string Kind { get; }

    public abstract string Id { get; }

    public abstract string Name { get; }

    public abstract Type OptionsType { get; }

    /// <summary>Its author returns null where the contract says otherwise.</summary>
    public abstract bool HasNoInfo { get; }
}

internal sealed record StrategyPart(StrategyInfo Info, MergeStrategy Strategy) : PluginPart
{
    public override string Kind => "method";

    public override string Id => Info.Id;

    public override string Name => Info.Name;

    public override Type OptionsType => Strategy.OptionsType;

    public override bool HasNoInfo => Info is null;
}

internal sealed record SearcherPart(SearcherInfo Info, SearcherFactory Searcher) : PluginPart
{
    public override string Kind => "searcher";

    public override string Id => Info.Id;

    public override string Name => Info.Name;

    public override Type OptionsType => Searcher.OptionsType;

    public override bool HasNoInfo => Info is null;
}

internal sealed record EvaluatorPart(EvaluatorInfo Info, EvaluatorFactory Evaluator) : PluginPart
{
    public override string Kind => "evaluator";

    public override string Id => Info.Id;

    public override string Name => Info.Name;

    public override Type OptionsType => Evaluator.OptionsType;

    public override bool HasNoInfo => Info is null;
}

using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>An evaluator of a plugin that can be used.</summary>
/// <param name="Info">Asked of the factory once, and checked.</param>
/// <param name="Evaluator">The only instance of the factory.</param>
/// <param name="Plugin">Where it comes from.</param>
internal sealed record EvaluatorEntry(EvaluatorInfo Info, EvaluatorFactory Evaluator, PluginStatus Plugin)
{
    public string Id => Info.Id;
}

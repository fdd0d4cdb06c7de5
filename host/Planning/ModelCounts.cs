using Merge.Sdk;

namespace Merge.Planning;

/// <summary>Whether a method can merge so many models, with or without a base.</summary>
internal static class ModelCounts
{
    /// <summary>What is wrong; empty where nothing is.</summary>
    /// <param name="info">The method.</param>
    /// <param name="hasBase">Whether there is a base.</param>
    /// <param name="count">How many models, the base among them only where the method counts it.</param>
    public static IEnumerable<Diagnostic> Wrong(StrategyInfo info, bool hasBase, int count)
    {
        if (info.Base == InputRole.Required && !hasBase)
        {
            yield return new Diagnostic($"{info.Id} needs a base model")
            {
                Fix = "Add 'base_model:' with the model the others were fine-tuned from.",
            };
        }
        if (count < info.MinModels || count > info.MaxModels)
        {
            var most = info.MaxModels == int.MaxValue ? " or more" : info.MaxModels == info.MinModels ? "" : $" to {info.MaxModels}";
            yield return new Diagnostic(
                $"{info.Id} is given {count} model{(count == 1 ? "" : "s")}"
                + (info.Base is InputRole.Required or InputRole.Optional ? ", the base not counted" : ""))
            {
                Expected = $"{info.MinModels}{most}",
            };
        }
    }
}

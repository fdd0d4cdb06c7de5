using System.Text;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>The <c>README.md</c> of a merged model: what it is made of and how to make it again.</summary>
internal static class ModelCard
{
    public const string FileName = "README.md";

    /// <param name="plan">The merge.</param>
    /// <param name="name">The output's.</param>
    /// <param name="adapterOf">Of an adapter the model it belongs to, or "" where that is not known; null: a whole model.</param>
    public static string Of(MergePlan plan, string name, string? adapterOf = null)
    {
        var strategy = plan.Strategy.Info;
        var card = new StringBuilder();
        card.Append("---\n");
        if (plan.Donor.Config is not null || adapterOf is not null)
            card.Append($"library_name: {(adapterOf is null ? "transformers" : "peft")}\n");
        card.Append($"tags:\n- {(plan.Conversion is null ? "merge" : "safetensors")}\n{(adapterOf is null ? "" : "- lora\n")}");
        if (adapterOf is { Length: > 0 })
        {
            card.Append($"base_model: {adapterOf}\n");
        }
        // Only what was found in the Hub's cache: a path of this machine would mean nothing elsewhere.
        else if (plan.Origin.Repositories.Count > 0)
        {
            card.Append("base_model:\n");
            foreach (var repository in plan.Origin.Repositories)
                card.Append($"- {repository}\n");
        }
        card.Append("---\n");
        card.Append($"# {name}\n\n");
        var what = adapterOf is null ? "model" : "adapter";
        if (plan.Conversion is { } conversion)
        {
            card.Append($"{conversion}: converted with Merge `{ToolVersion.Text}`.\n\n");
        }
        else
        {
            card.Append($"Made by merging {plan.Models.Count} {what}{(plan.Models.Count == 1 ? "" : "s")} with ");
            card.Append($"Merge `{ToolVersion.Text}`, ");
            card.Append($"method **{strategy.Name}** (`{strategy.Id}`{(strategy.Paper is null ? "" : $", {strategy.Paper}")}).\n\n");
        }
        if (strategy.Formula is not null)
            card.Append($"    {strategy.Formula}\n\n");
        card.Append($"## {(adapterOf is null ? "Model" : "Adapter")}{(plan.Origin.ModelTexts.Count == 1 ? "" : "s")}\n\n");
        foreach (var text in plan.Origin.ModelTexts)
            card.Append($"- `{text}`{(text == plan.Origin.BaseText ? " (base)" : "")}\n");
        if (plan.Origin.Stages.Count > 0)
            card.Append("\n## Stages\n\nMerges of the same recipe that this one builds on:\n\n");
        foreach (var stage in plan.Origin.Stages)
            card.Append($"- `{stage.Name}`: `{stage.Method}` of {string.Join(", ", stage.ModelTexts.Select(m => $"`{m}`"))}\n");
        card.Append("\n## Recipe\n\n`merge_recipe.yaml` in this folder; the checksums of everything that went in are in ");
        card.Append($"`{Manifest.FileName}`.\n\n```yaml\n{plan.Origin.Text.TrimEnd()}\n```\n");
        return card.ToString();
    }
}

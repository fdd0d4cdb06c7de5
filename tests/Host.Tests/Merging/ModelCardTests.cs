using Host.Tests.Planning;
using Merge.Merging;
using Merge.Planning;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class ModelCardTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void It_names_method_models_base_and_recipe()
    {
        var card = Card("{}", "org/theta0", "org/theta0", "org/tuned@main", "./local", "/else/where");
        Assert.StartsWith(
            "---\nlibrary_name: transformers\ntags:\n- merge\nbase_model:\n- org/theta0\n- org/tuned\n---\n# my-merge\n",
            card);
        Assert.Contains("method **One line** (`one-line`, a paper).", card);
        Assert.Contains("- `org/theta0` (base)\n- `org/tuned@main`\n- `./local`\n", card);
        Assert.Contains("```yaml\nmerge_method: one-line\n```\n", card);
    }

    [Fact]
    public void Without_a_config_or_models_of_the_hub_it_claims_neither()
    {
        var card = Card(null, null, "local");
        Assert.StartsWith("---\ntags:\n- merge\n---\n", card);
        Assert.DoesNotContain("(base)", card);
    }

    private string Card(string? config, string? theta0, params string[] texts)
    {
        var plan = Plans.Of(_models.AddWith("a", config, Of("w", 1)));
        var origin = new PlanOrigin("merge_method: one-line\n", texts, theta0)
        {
            Repositories = [.. texts.Where(t => t.StartsWith("org/")).Select(t => t.Split('@')[0])],
        };
        return ModelCard.Of(plan with { Origin = origin }, "my-merge");
    }
}

using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>The base that a recipe of adapters names, and nothing is read of.</summary>
public sealed class NamedBaseTests : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("./models/lama", "Did you mean './models/llama'?")]
    [InlineData("models/lama", "Did you mean 'models/llama'?")]
    [InlineData("../nowhere/a/b", "What loads the result looks for its base there: correct the path, or leave it out.")]
    [InlineData("/nowhere/at-all", "What loads the result looks for its base there: correct the path, or leave it out.")]
    public void A_path_that_is_not_there_is_warned_of(string named, string fix)
    {
        var warning = Assert.Single(Warnings(named));
        Assert.Equal((Severity.Warning, fix), (warning.Severity, warning.Fix));
        Assert.StartsWith($"the model '{named}', which the result will name, is not found; looked for ", warning.Found);
        Assert.EndsWith("recipe.yaml, line 2", warning.Where);
    }

    [Theory]
    [InlineData("org/name")]
    [InlineData("org/name@main")]
    [InlineData("gpt2")]
    [InlineData("models/llama")]
    [InlineData("./models/llama")]
    public void A_name_of_the_hub_and_a_folder_that_is_there_are_not(string named) => Assert.Empty(Warnings(named));

    private IReadOnlyList<Diagnostic> Warnings(string named)
    {
        _bench.New("a").Linear(Query, 6, 8, 4).Write();
        _bench.Write("models/llama/model.safetensors", (Query + ".weight", [6, 8]));
        using var planner = _bench.Planner();
        return _bench.Plan(
            planner, $"merge_method: task_arithmetic\nbase_model: {named}\nmodels: [{{model: a, parameters: {{weight: 1}}}}]\n").Warnings;
    }
}

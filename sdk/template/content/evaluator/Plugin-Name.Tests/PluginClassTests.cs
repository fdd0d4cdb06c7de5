using Merge.Testing;

namespace PluginNamespace.Tests;

public sealed class PluginClassTests
{
    private static readonly Dictionary<string, TestTensor> _model = new()
    {
        ["a"] = TestTensor.Of(1, 0.001f, -0.5f),
        ["b"] = TestTensor.Rows(1, 0),
    };

    [Fact]
    public void It_conforms() => EvaluatorConformance.Check(new PluginClassEvaluator(), new PluginClassOptions(), _model);

    [Fact]
    public void An_example_counted_by_hand_holds() => Assert.Equal(
        0.5, EvaluatorConformance.Score(new PluginClassEvaluator(), new PluginClassOptions(), _model).Metrics["small"]);
}

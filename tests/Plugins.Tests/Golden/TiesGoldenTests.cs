using Merge.Plugin.Ties;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests.Golden;

/// <summary>What a random method makes of a draw, checked on the draws of the reference implementation.</summary>
public abstract class TiesGoldenTests
{
    private const double Tolerance = 5e-7;
    private const string Drawn = "drawn";

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("dare_linear")]
    [InlineData("dare_ties")]
    [InlineData("della")]
    public void With_the_reference_implementations_draw_the_result_is_its_result(string name)
    {
        var golden = new GoldenCase(name);
        var inputs = golden.Inputs with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> { [Drawn] = golden.Masks() },
        };
        var (strategy, options) = golden.Method();
        var merged = Runner.Merge(
            new MaskedMerge(elects: strategy is not DareLinearMerge),
            new MaskedOptions { Method = (TaskVectorOptions)options },
            inputs);
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }

    private sealed record MaskedOptions
    {
        [Parameter("Masks, 1 where an element stays")]
        [SideInput(Drawn)]
        public PerModel<string?> Masks { get; init; }

        public TaskVectorOptions Method { get; init; } = new DareOptions();
    }

    /// <summary>The plugin's own formula with masks that are given.</summary>
    private sealed class MaskedMerge(bool elects) : MergeStrategy<MaskedOptions>
    {
        public override StrategyInfo Info => new("masked", "Masked", Base: InputRole.Required);

        protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, MaskedOptions options)
        {
            Mask?[] masks =
                [.. Enumerable.Range(0, tensor.ModelCount).Select(i => (Mask)(b => b.Side(Drawn, i) > 0f))];
            var factors = L1Norm.Factors(masks, await L1Norm.BeforeAndAfter(tensor, masks));
            var sum = new TaskVectorSum(options.Method, masks, factors);
            return elects ? sum.Elected() : sum.Plain();
        }
    }
}

public sealed class TiesGoldenTestsOnArrays : TiesGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

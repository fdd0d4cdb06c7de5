using Merge.Sdk;

namespace Plugins.Tests.Conformance;

internal sealed record FaultyOptions
{
    [Parameter("x", Bounds = "[0, 1]")]
    public double X { get; init; } = 0.5;
}

/// <summary>A method with one fault.</summary>
internal abstract class Faulty(Func<TensorScan, FaultyOptions, TensorMerge> plan) : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options) => new(plan(tensor, options));
}

internal sealed class Sound() : Faulty((_, o) => TensorMerge.From(b => b.Base + (o.X * b.Deltas[0])));

internal sealed class AddsOne() : Faulty((_, _) => TensorMerge.From(b => b.Models[0] + b.Base + 1f));

internal sealed class HidesNaN() : Faulty((_, _) => TensorMerge.From(b => (b.Models[0] > b.Base).Select(b.Models[0], b.Base)));

internal sealed class DividesByX() : Faulty((_, o) => TensorMerge.From(b => b.Base + (b.Deltas[0] / o.X)));

internal sealed class NeedsTwoAxes() : Faulty((t, _) => TensorMerge.From(b => b.Base + (0f * (b.Deltas[0] * t.Info.Shape[1]))));

internal sealed class SeesBlocks() : Faulty((_, _) => TensorMerge.From(b => b.Map([b.Deltas[0], b.Base], (inputs, output) =>
{
    for (var e = 0; e < output.Length; e++)
        output[e] = inputs[1][e] + (inputs[0][e] * (e % 3));
})));

internal sealed class MindsOrder() : Faulty((_, _) => TensorMerge.From(b => b.Base + b.Deltas[0] + (b.Deltas[1] / 2)))
{
    public override StrategyInfo Info => base.Info with { MinModels = 2, MaxModels = 2 };
}

internal sealed class CopiesTensors() : Faulty((tensor, _) =>
{
    var zeros = new double[tensor.Info.Count];
    return TensorMerge.From(b => b.Base + (b.Deltas[0] * (1 + zeros[0])));
});

internal sealed record OddOptions
{
    [Parameter("x", Bounds = "[1, 0]")]
    public double X { get; init; }
}

internal sealed class TakesAnId() : Faulty((_, o) => TensorMerge.From(b => b.Base + (o.X * b.Deltas[0])))
{
    public override StrategyInfo Info => base.Info with { Id = "ties" };
}

internal sealed record ForgetfulOptions
{
    public double Alpha { get; init; } = 1;

    public double Double => 2 * Alpha;
}

internal sealed class ForgetsParameter : MergeStrategy<ForgetfulOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, ForgetfulOptions options) =>
        new(TensorMerge.From(b => b.Base + (options.Alpha * b.Deltas[0])));
}

/// <summary>Asks for the middle, again and again.</summary>
internal sealed class ForgetfulSearcher : SearcherFactory<ForgetfulOptions>
{
    public override SearcherInfo Info => new("faulty", "Faulty");

    protected override ISearcher Start(SearchSpace space, ForgetfulOptions options, SearchRandom random) => new Middle(space);

    private sealed class Middle(SearchSpace space) : ISearcher
    {
        public IReadOnlyList<double[]> Ask() => [new double[space.Dimensions.Count]];

        public void Tell(IReadOnlyList<ScoredPoint> generation)
        {
        }
    }
}

internal sealed class OddBounds : MergeStrategy<OddOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, OddOptions options) => new(TensorMerge.Copy(0));
}

internal sealed class ReadsFile : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options) =>
        new(TensorMerge.From(b => b.Base + (b.Deltas[0] * Factor())));

    private static double Factor() => File.Exists("factor") ? double.Parse(File.ReadAllText("factor")) : 1;
}

internal sealed class KeepsState : MergeStrategy<FaultyOptions>
{
    private int _calls;

    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options)
    {
        await tensor.Sum(b => b.Base);
        var factor = 1 + (_calls++ * 0.001);
        return TensorMerge.From(b => b.Base + (b.Deltas[0] * factor));
    }
}

internal sealed class ThrowsAfterAwait : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options)
    {
        await tensor.Sum(b => b.Base);
        throw new ArgumentOutOfRangeException(nameof(options), 1, "Too small."); // the line that throws
    }
}

internal sealed class ThrowsInExpression : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options) => new(TensorMerge.From(b =>
        b.Base + b.Deltas[1])); // the line that throws
}

internal sealed class AwaitsDelay : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options)
    {
        await Sum(tensor);
        await Task.Delay(Timeout.Infinite); // the line that awaits
        return TensorMerge.Copy(0);
    }

    private static async ValueTask<double> Sum(TensorScan tensor) => await tensor.Sum(b => b.Base);
}

internal sealed class ViewsOneByOne : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options) => new(TensorMerge.From(b =>
        b.Base + b.View(new(1, 1)))); // the line that views
}

internal sealed class LowRankOfVectors : MergeStrategy<FaultyOptions>
{
    public override StrategyInfo Info => new("faulty", "Faulty", Base: InputRole.Required, MaxModels: 1);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, FaultyOptions options)
    {
        if (tensor.Info.Count == 0)
            return new(TensorMerge.CopyBase());
        var column = new Matrix((int)tensor.Info.Count, 1);
        return new(TensorMerge.LowRank(column, new(1, 1))); // the line that gives it
    }
}

internal sealed class ThrowsAtZero() : Faulty((_, o) => TensorMerge.From(b => b.Base + (b.Deltas[0] * (new float[1])[(int)(1 - o.X)])));

internal sealed class IgnoresOthers() : Faulty((_, _) => TensorMerge.From(b => b.Base + b.Deltas[0]))
{
    public override StrategyInfo Info => base.Info with { MaxModels = 3 };
}

internal sealed class BadId() : Faulty((_, _) => TensorMerge.Copy(0))
{
    public override StrategyInfo Info => base.Info with { Id = "Bad id" };
}

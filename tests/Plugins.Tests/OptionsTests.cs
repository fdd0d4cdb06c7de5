using System.Reflection;
using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>Options that make no sense, and the worked examples of the plugins' READMEs.</summary>
public sealed class OptionsTests
{
    private static readonly MergeOnArrays _runner = new();

    [Theory]
    [InlineData(1, -1)]
    [InlineData(0, 0)]
    [InlineData(0.3, -0.3 + 1e-9)]
    public void Linear_refuses_to_normalize_weights_that_cancel(double first, double second)
    {
        var options = new LinearOptions { Weight = new(first, second) };
        var error = Refused(new LinearMerge(), options, null, ArrayTensor.Of(1), ArrayTensor.Of(2));
        Assert.Contains("cannot be normalized", error.Found);
        Assert.Contains("normalize: false", error.Fix);
        var plain = _runner.MergeOne(
            new LinearMerge(), options with { Normalize = false }, null, ArrayTensor.Of(1), ArrayTensor.Of(2));
        Assert.Equal((first * 1) + (second * 2), plain[0], 1e-6);
    }

    [Fact]
    public void Task_arithmetic_takes_a_vanishing_sum_of_weights_as_one()
    {
        var options = new TaskArithmeticOptions { Weight = new(1, -1), Normalize = true };
        var merged = _runner.MergeOne(
            new TaskArithmeticMerge(), options, ArrayTensor.Of(10), ArrayTensor.Of(12), ArrayTensor.Of(9));
        Assert.Equal([13f], merged);
    }

    [Fact]
    public void Worked_examples_of_the_averages_hold()
    {
        ArrayTensor[] models = [.. new[] { 8f, 4, 2, 1 }.Select(x => ArrayTensor.Of(x))];
        Gives(3.75, new UniformMerge(), new UniformOptions(), null, models);
        Gives(2.6, new LinearMerge(), new LinearOptions { Weight = new(1, 2, 3, 4) }, null, models);
        Gives(26, new LinearMerge(), new LinearOptions { Weight = new(1, 2, 3, 4), Normalize = false }, null, models);
        Gives(2.5, new EmaMerge(), new EmaOptions { Beta = 0.5 }, null, models);
        Gives(5.2802, new WsmMerge(), new WsmOptions(), null, models);
        Gives(7, new WiseFtMerge(), new WiseFtOptions { Alpha = 0.25 }, ArrayTensor.Of(8), ArrayTensor.Of(4));
    }

    [Fact]
    public void Worked_examples_of_task_arithmetic_hold()
    {
        ArrayTensor[] models = [.. new[] { 12f, 9, 14 }.Select(x => ArrayTensor.Of(x))];
        var options = new TaskArithmeticOptions { Weight = new(1, 0.5, 0.25) };
        Gives(12.5, new TaskArithmeticMerge(), options, ArrayTensor.Of(10), models);
        Gives(12, new TaskArithmeticMerge(), options with { Lambda = 0.8 }, ArrayTensor.Of(10), models);
        Gives(11.4286, new TaskArithmeticMerge(), options with { Normalize = true }, ArrayTensor.Of(10), models);
    }

    [Fact]
    public void Strategies_are_named_as_in_recipes_and_say_what_they_compute()
    {
        MergeStrategy[] strategies =
        [
            new UniformMerge(), new LinearMerge(), new EmaMerge(), new WsmMerge(), new WiseFtMerge(),
            new TaskArithmeticMerge(),
        ];
        Assert.Equal(
            ["uniform", "linear", "ema", "wsm", "wise-ft", "task_arithmetic"], strategies.Select(s => s.Info.Id));
        Assert.All(strategies, s => Assert.False(string.IsNullOrEmpty(s.Info.Formula)));
    }

    [Fact]
    public void Parameters_without_a_default_are_required()
    {
        Assert.Equal(["Weight"], Required(typeof(LinearOptions)));
        Assert.Equal(["Beta"], Required(typeof(EmaOptions)));
        Assert.Equal(["Weight"], Required(typeof(TaskArithmeticOptions)));
        Assert.Empty(Required(typeof(WsmOptions)).Concat(Required(typeof(WiseFtOptions))));

        static IEnumerable<string> Required(Type options) => options.GetProperties()
            .Where(p => p.GetCustomAttribute<ParameterAttribute>()!.Required)
            .Select(p => p.Name);
    }

    private static Diagnostic Refused(
        MergeStrategy strategy, object options, ArrayTensor? theta0, params ArrayTensor[] models)
    {
        var error = Assert.Throws<MergeException>(() => _runner.MergeOne(strategy, options, theta0, models));
        Assert.True(error.WrongUsage);
        return Assert.Single(error.Diagnostics);
    }

    private static void Gives(
        double expected, MergeStrategy strategy, object options, ArrayTensor? theta0, params ArrayTensor[] models) =>
        Assert.Equal(expected, _runner.MergeOne(strategy, options, theta0, models)[0], 5e-5);
}

using Merge.Plugin.Spherical;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>Names, counts, options that make no sense, and the worked examples of the READMEs.</summary>
public sealed class MergekitOptionsTests
{
    private static readonly MergeOnArrays _runner = new();

    [Theory]
    [InlineData("passthrough", InputRole.Unused, 1, 1)]
    [InlineData("slerp", InputRole.Required, 1, 1)]
    [InlineData("nuslerp", InputRole.Optional, 2, 2)]
    [InlineData("multislerp", InputRole.Optional, 1, int.MaxValue)]
    [InlineData("karcher", InputRole.Member, 1, int.MaxValue)]
    [InlineData("model_stock", InputRole.Required, 2, int.MaxValue)]
    [InlineData("sce", InputRole.Required, 1, int.MaxValue)]
    [InlineData("ram", InputRole.Required, 1, int.MaxValue)]
    [InlineData("ramplus_tl", InputRole.Required, 1, int.MaxValue)]
    [InlineData("nearswap", InputRole.Required, 1, 1)]
    [InlineData("arcee_fusion", InputRole.Required, 1, 1)]
    public void Methods_take_a_base_and_as_many_models_as_in_mergekit(
        string method, InputRole role, int fewest, int most)
    {
        var info = MergekitMethods.Find(method).Info;
        Assert.Equal((role, fewest, most), (info.Base, info.MinModels, info.MaxModels));
        Assert.False(string.IsNullOrEmpty(info.Formula));
    }

    [Theory]
    [InlineData("slerp", "", "'t'")]
    [InlineData("nuslerp", "", "'weight'")]
    [InlineData("multislerp", "", "'weight'")]
    [InlineData("nearswap", "", "'t'")]
    [InlineData("nearswap", "t: -0.1", "'t' is '-0.1'")]
    [InlineData("slerp", "t: .nan", "'t' is '.nan'")]
    [InlineData("nuslerp", "weight: 1, nuslerp_flatten: 2", "'nuslerp_flatten' is '2'")]
    [InlineData("multislerp", "weight: 1, eps: 0", "'eps' is '0'")]
    [InlineData("karcher", "max_iter: -1", "'max_iter' is '-1'")]
    [InlineData("karcher", "tol: 0", "'tol' is '0'")]
    [InlineData("model_stock", "filter_wise: maybe", "'filter_wise' is 'maybe'")]
    [InlineData("sce", "select_topk: 1.1", "'select_topk' is '1.1'")]
    [InlineData("ram", "epsilon: -1", "'epsilon' is '-1'")]
    [InlineData("ramplus_tl", "r: -1", "'r' is '-1'")]
    [InlineData("ramplus_tl", "alpha: -1", "'alpha' is '-1'")]
    [InlineData("passthrough", "scale: big", "'scale' is 'big'")]
    [InlineData("arcee_fusion", "t: 1", "no parameter 't'")]
    public void A_wrong_option_is_refused(string method, string parameters, string found)
    {
        var error = Assert.Throws<MergeException>(
            () => MergekitMethods.Bind($"{{merge_method: {method}, models: [a], parameters: {{{parameters}}}}}"));
        Assert.True(error.WrongUsage);
        Assert.Contains(found, Assert.Single(error.Diagnostics).Found);
    }

    [Fact]
    public void Multislerp_refuses_weights_that_cancel()
    {
        var options = new MultiSlerpOptions { Weight = new(1, -1) };
        var error = Assert.Throws<MergeException>(
            () => _runner.MergeOne(new MultiSlerpMerge(), options, null, ArrayTensor.Of(1), ArrayTensor.Of(2)));
        Assert.True(error.WrongUsage);
        Assert.Contains("normalize_weights: false", Assert.Single(error.Diagnostics).Fix);
    }

    [Fact]
    public void Multislerp_of_opposite_directions_is_linear_for_two_models_and_refused_for_three()
    {
        var options = new MultiSlerpOptions { Weight = 1 };
        var (x, y) = (ArrayTensor.Of(3, 0), ArrayTensor.Of(-1, 0));
        Assert.Equal([1, 0], _runner.MergeOne(new MultiSlerpMerge(), options, null, x, y));
        var zero = ArrayTensor.Of(0, 0);
        var error = Assert.Throws<MergeException>(
            () => _runner.MergeOne(new MultiSlerpMerge(), options, null, x, y, zero));
        Assert.Equal("w", Assert.Single(error.Diagnostics).Where);
    }

    [Fact]
    public void Tensors_of_zeros_stay_zero()
    {
        ArrayTensor[] zeros = [.. Enumerable.Range(0, 3).Select(_ => ArrayTensor.Of(0, 0))];
        Assert.Equal([0, 0], _runner.MergeOne(new KarcherMerge(), new KarcherOptions(), null, zeros));
        Assert.Equal(
            [0, 0], _runner.MergeOne(new MultiSlerpMerge(), new MultiSlerpOptions { Weight = 1 }, null, zeros));
    }

    [Theory]
    [InlineData("slerp", "t: 0.3", 1)]
    [InlineData("nuslerp", "weight: 1", 2)]
    [InlineData("multislerp", "weight: 1", 3)]
    [InlineData("karcher", "", 3)]
    [InlineData("model_stock", "", 3)]
    public void A_tensor_without_an_angle_is_refused_by_name(string method, string parameters, int models)
    {
        var list = string.Join(", ", Enumerable.Range(1, models));
        var (strategy, options) = MergekitMethods.Bind(
            $"{{merge_method: {method}, models: [{list}], parameters: {{{parameters}}}}}");
        ArrayTensor[] tensors = [.. Enumerable.Range(1, models).Select(i => ArrayTensor.Of(i, i == 1 ? float.NaN : 1))];
        var error = Assert.Throws<MergeException>(
            () => _runner.MergeOne(strategy, options, ArrayTensor.Of(1, 2), tensors));
        var found = Assert.Single(error.Diagnostics);
        Assert.Equal(("w", Actor.User), (found.Where, found.Actor));
    }

    [Theory]
    [InlineData("slerp", "t: 0.5", new[] { 2f, 0, 0, 2 }, new[] { 1.4142f, 1.4142f })]
    [InlineData("nearswap", "t: 0.5", new[] { 2f, 0, 2.25f, 2 }, new[] { 2.25f, 0.5f })]
    [InlineData("ram", "", new[] { 1f, 1, 3, 1, 2, 4 }, new[] { 2.5f, 4 })]
    [InlineData("ramplus_tl", "", new[] { 1f, 1, 3, 1, 2, 4 }, new[] { 2.5f, 4.06f })]
    [InlineData("sce", "", new[] { 0f, 0, 3, 1, 1, -2 }, new[] { 2.333333f, -2 })]
    [InlineData("model_stock", "", new[] { 0f, 0, 1, 0, 1, 1 }, new[] { 0.828427f, 0.414214f })]
    public void Worked_examples_with_a_base_hold(string method, string parameters, float[] values, float[] expected)
    {
        ArrayTensor[] tensors = [.. values.Chunk(2).Select(v => ArrayTensor.Of(v))];
        var models = string.Join(", ", Enumerable.Range(1, tensors.Length - 1));
        var (strategy, options) = MergekitMethods.Bind(
            $"{{merge_method: {method}, models: [{models}], parameters: {{{parameters}}}}}");
        Near.All(expected, _runner.MergeOne(strategy, options, tensors[0], tensors[1..]), 1e-4, method);
    }

    [Theory]
    [InlineData("nuslerp", "weight: 1", new[] { 1.4142f, 1.4142f })]
    [InlineData("multislerp", "weight: 1", new[] { 1.4142f, 1.4142f })]
    [InlineData("karcher", "", new[] { 1.4142f, 1.4142f })]
    [InlineData("nuslerp", "weight: 1, nuslerp_flatten: false, nuslerp_row_wise: true", new[] { 1.4142f, 1.4142f })]
    public void Worked_examples_without_a_base_hold(string method, string parameters, float[] expected)
    {
        var (strategy, options) = MergekitMethods.Bind(
            $"{{merge_method: {method}, models: [1, 2], parameters: {{{parameters}}}}}");
        var merged = _runner.MergeOne(strategy, options, null, ArrayTensor.Of(2, 0), ArrayTensor.Of(0, 2));
        Near.All(expected, merged, 1e-4, method);
    }
}

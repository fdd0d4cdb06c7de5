using Merge.TestPlugins.Strategies;
using Plugins.Tests.Arrays;
using Plugins.Tests.Golden;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>Side inputs and a cut over the whole model, on the golden inputs with their Adam moments.</summary>
public abstract class GraftingTests
{
    private static readonly GoldenCase _golden = new("task_arithmetic");

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.2)]
    [InlineData(1)]
    public void One_threshold_cuts_the_whole_model(double density) => Agrees(density, Moments());

    [Fact]
    public void A_stored_rank_1_moment_arrives_expanded()
    {
        const string tensor = "model.layers.0.mlp.down_proj.weight";
        var stored = Moments();
        var expanded = Moments();
        foreach (var (rank1, full) in stored.Zip(expanded))
        {
            var (rows, columns) = ((int)rank1[tensor].Shape[0], (int)rank1[tensor].Shape[1]);
            var values = rank1[tensor].Values;
            float[] row = [.. Enumerable.Range(0, rows).Select(i => values.Skip(i * columns).Take(columns).Sum())];
            float[] column =
                [.. Enumerable.Range(0, columns).Select(j => values.Where((_, e) => e % columns == j).Sum())];
            rank1.Remove(tensor);
            rank1.Add(tensor + ".row_sum", ArrayTensor.Of(row));
            rank1.Add(tensor + ".column_sum", ArrayTensor.Of(column));
            var sum = (float)row.Sum(r => (double)r);
            float[] product = [.. row.SelectMany(r => column.Select(c => r * (c / sum)))];
            full[tensor] = new ArrayTensor([rows, columns], product);
        }
        Agrees(0.3, stored, expanded);
    }

    [Fact]
    public void A_tensor_without_moments_keeps_the_base_and_takes_none_of_the_density()
    {
        const string tensor = "lm_head.weight";
        var moments = Moments();
        foreach (var file in moments)
            file.Remove(tensor);
        var merged = Agrees(0.3, moments);
        Assert.Equal(_golden.Inputs.Base![tensor].Values, merged[tensor]);
        var changed = merged.Sum(t => t.Value.Zip(_golden.Inputs.Base[t.Key].Values).Count(p => p.First != p.Second));
        Assert.True(changed > 0.3 * merged.Sum(t => t.Value.Length), $"{changed} elements changed");
    }

    private IReadOnlyDictionary<string, float[]> Agrees(
        double density, Dictionary<string, ArrayTensor>[] stored, Dictionary<string, ArrayTensor>[]? expanded = null)
    {
        const double epsilon = 1e-8;
        var inputs = _golden.Inputs with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> { ["second_moment"] = stored },
        };
        var options = new CurvatureGraftOptions { Density = density, Epsilon = epsilon };
        var merged = Runner.Merge(new CurvatureGraft(), options, inputs);
        string[] names = [.. inputs.Base!.Keys.Order(StringComparer.Ordinal)];
        var tensors = names.Select(n => new MergeCase(
            inputs.Base[n].Shape, inputs.Base[n].Values, [.. inputs.Models.Select(m => m[n].Values)], [], 0)).ToList();
        var expected = Grafting.CurvatureGraft(
            tensors, (t, i) => (expanded ?? stored)[i].GetValueOrDefault(names[t])?.Values, density, epsilon);
        foreach (var (name, values) in names.Zip(expected))
            Near.Relative(values, merged[name], tolerance: 1e-6);
        return merged;
    }

    private static Dictionary<string, ArrayTensor>[] Moments() =>
        [.. Enumerable.Range(1, 3).Select(i => GoldenCase.Input($"inputs/ft{i}.exp_avg_sq.f32.safetensors"))];
}

public sealed class GraftingTestsOnArrays : GraftingTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

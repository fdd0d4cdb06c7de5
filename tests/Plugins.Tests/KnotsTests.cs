using Merge.Compute;
using Merge.Plugin.Knots;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Engine;

namespace Plugins.Tests;

/// <summary>KnOTS against the paper's definition on whole matrices in float64, and what holds whatever the values.</summary>
public abstract class KnotsTests
{
    private const double Tolerance = 2e-5;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData(7, 5, 2, 1.0, true)]
    [InlineData(5, 9, 3, 0.4, true)]
    [InlineData(8, 8, 2, 0.5, false)]
    [InlineData(20, 3, 4, 0.7, true)]
    public void It_merges_the_blocks_of_the_joint_decomposition(int rows, int columns, int models, double density, bool elect)
    {
        var (theta0, deltas) = Inputs(rows, columns, models);
        var weights = Enumerable.Range(0, models).Select(i => 0.5 + (0.25 * i)).ToArray();
        var options = new KnotsOptions
        {
            Weight = new PerModel<double>(weights),
            Density = density,
            Elect = elect,
            Lambda = 0.8,
        };
        var expected = Definition(theta0, deltas, rows, columns, weights, density, elect, 0.8);
        Near(expected, Merge(options, theta0, deltas, rows, columns));
    }

    [Fact]
    public void Equal_models_are_themselves_and_one_hot_weights_give_that_model()
    {
        var (theta0, deltas) = Inputs(9, 6, 3);
        var model = theta0.Zip(deltas[0], (x, d) => (double)x + d).ToArray();
        Near(model, Merge(new KnotsOptions(), theta0, [deltas[0], deltas[0], deltas[0]], 9, 6));
        Near(model, Merge(new KnotsOptions { Weight = new PerModel<double>(1, 0, 0) }, theta0, deltas, 9, 6));
    }

    [Fact]
    public void The_order_of_the_models_does_not_matter_and_lambda_scales()
    {
        var (theta0, deltas) = Inputs(9, 6, 3);
        var options = new KnotsOptions { Density = 0.6 };
        var merged = Merge(options, theta0, deltas, 9, 6);
        Near([.. merged.Select(v => (double)v)], Merge(options, theta0, [deltas[2], deltas[0], deltas[1]], 9, 6));
        var twice = Merge(options with { Lambda = 2 }, theta0, deltas, 9, 6);
        Near([.. merged.Zip(theta0, (m, b) => b + (2 * ((double)m - b)))], twice);
    }

    [Fact]
    public void Plain_sums_of_untrimmed_blocks_are_task_arithmetic()
    {
        var (theta0, deltas) = Inputs(6, 11, 2);
        var expected = theta0.Select((b, i) => b + (0.5 * deltas[0][i]) - (2 * deltas[1][i])).ToArray();
        Near(expected, Merge(new KnotsOptions { Elect = false, Weight = new PerModel<double>(0.5, -2) }, theta0, deltas, 6, 11));
    }

    [Fact]
    public void The_readmes_example_holds()
    {
        var (u, a) = (new[] { 0.6f, 0.8f }, new[] { 0f, 1f, 0f });
        float[] Direction(float scale) => [.. u.SelectMany(x => a.Select(y => scale * x * y))];
        Near([.. Direction(1.5f).Select(v => (double)v)], Merge(new KnotsOptions(), new float[6], [Direction(1), Direction(2)], 2, 3));
    }

    [Fact]
    public void Models_that_did_not_change_leave_the_base()
    {
        var (theta0, _) = Inputs(4, 5, 2);
        Assert.Equal(theta0, Merge(new KnotsOptions(), theta0, [new float[20], new float[20]], 4, 5));
    }

    [Fact]
    public void Vectors_are_averaged()
    {
        var merged = Runner.MergeOne(new KnotsMerge(), new KnotsOptions(), ArrayTensor.Of(1, 2), ArrayTensor.Of(3, 2), ArrayTensor.Of(1, 6));
        Assert.Equal([2, 4], merged);
    }

    private float[] Merge(KnotsOptions options, float[] theta0, float[][] deltas, int rows, int columns)
    {
        ArrayTensor Tensor(float[] values) => new([rows, columns], values);
        return Runner.MergeOne(new KnotsMerge(), options, Tensor(theta0),
            [.. deltas.Select(d => Tensor([.. theta0.Zip(d, (x, y) => x + y)]))]);
    }

    // Multiples of 1/256: task vectors come back exactly from base and model.
    private static (float[] Base, float[][] Deltas) Inputs(int rows, int columns, int models)
    {
        var random = new SearchRandom((ulong)((rows * 100) + columns));
        float[] Next() => [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(Math.Round(random.Normal() * 256) / 256))];
        return (Next(), [.. Enumerable.Range(0, models).Select(_ => Next())]);
    }

    private static double[] Definition(
        float[] theta0, float[][] deltas, int rows, int columns, double[] weights, double density, bool elect, double lambda)
    {
        var beside = new Matrix(rows, columns * deltas.Length);
        for (var m = 0; m < deltas.Length; m++)
        {
            for (var i = 0; i < rows * columns; i++)
                beside[i / columns, (m * columns) + (i % columns)] = deltas[m][i];
        }
        var svd = new ManagedLinearAlgebra().Svd(beside);
        var rank = svd.Sigma.Length;
        double V(int m, int k, int j) => svd.Vt[k, (m * columns) + j];
        var kept = deltas.Select((_, m) => Enumerable.Range(0, rank * columns)
            .OrderByDescending(e => Math.Abs(V(m, e / columns, e % columns))).Take((int)(density * rank * columns)).ToHashSet()).ToArray();
        var merged = new double[rank * columns];
        for (var e = 0; e < merged.Length; e++)
        {
            var x = deltas.Select((_, m) => kept[m].Contains(e) ? weights[m] * V(m, e / columns, e % columns) : 0).ToArray();
            if (!elect)
            {
                merged[e] = x.Sum();
                continue;
            }
            var sign = x.Sum() >= 0 ? 1 : -1;
            var agreeing = Enumerable.Range(0, x.Length).Where(m => sign * x[m] > 0).ToArray();
            merged[e] = agreeing.Length == 0 ? 0 : agreeing.Sum(m => x[m]) / agreeing.Sum(m => weights[m]);
        }
        return
        [
            .. theta0.Select((b, i) => b + (lambda * Enumerable.Range(0, rank)
                .Sum(k => svd.U[i / columns, k] * svd.Sigma[k] * merged[(k * columns) + (i % columns)]))),
        ];
    }

    private static void Near(double[] expected, float[] merged)
    {
        var scale = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(Math.Abs(expected[i] - merged[i]), 0, Tolerance * scale);
    }
}

public sealed class KnotsOnArrays : KnotsTests
{
    private protected override IMergeRunner Runner => new MergeOnArrays();
}

public sealed class KnotsOnEngine : KnotsTests
{
    private protected override IMergeRunner Runner => new MergeOnEngine(EngineSettings.Of(threads: 2, blockBytes: 64));
}

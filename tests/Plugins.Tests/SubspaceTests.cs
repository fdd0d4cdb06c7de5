using Merge.Plugin.Subspace;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>The worked example of the README, and what the options mean at their ends.</summary>
public sealed class SubspaceTests
{
    private static readonly MergeOnArrays _runner = new();
    private static readonly ArrayTensor _theta0 = new([2, 2], [0, 0, 0, 0]);
    private static readonly ArrayTensor[] _models = [new([2, 2], [3, 0, 0, 0]), new([2, 2], [0, 0, 0, 1])];

    [Fact]
    public void The_worked_example_holds()
    {
        Near.All([2, 0, 0, 2], _runner.MergeOne(new IsoCMerge(), new SubspaceOptions(), _theta0, _models), 1e-6, "iso_c");
        Near.All([3, 0, 0, 1], _runner.MergeOne(new TsvMerge(), new SubspaceOptions(), _theta0, _models), 1e-6, "tsv_merge");
        Near.All(
            [3, 0, 0, 3],
            _runner.MergeOne(new SubspaceBoosting(), new SubspaceBoostingOptions { Beta = 0.5 }, _theta0, _models),
            1e-6, "subspace_boosting");
    }

    [Fact]
    public void With_all_directions_common_iso_cts_is_iso_c() => MergeCase.ForAll(
        c =>
        {
            if (c.Shape.Min() < 2)
                return;
            Near.All(
                _runner.MergeOne(new IsoCMerge(), new SubspaceOptions(), c.BaseTensor, c.ModelTensors),
                _runner.MergeOne(new IsoCtsMerge(), new IsoCtsOptions { CommonFraction = 1 }, c.BaseTensor, c.ModelTensors),
                1e-4, "w");
        },
        rank: 2);

    [Fact]
    public void With_beta_1_subspace_boosting_is_task_arithmetic() => MergeCase.ForAll(
        c => Near.All(
            [.. Enumerable.Range(0, c.Count).Select(e => (float)(c.Base[e] + c.Models.Sum(m => m[e] - c.Base[e])))],
            _runner.MergeOne(new SubspaceBoosting(), new SubspaceBoostingOptions { Beta = 1 }, c.BaseTensor, c.ModelTensors),
            1e-4, "w"),
        rank: 2);
}

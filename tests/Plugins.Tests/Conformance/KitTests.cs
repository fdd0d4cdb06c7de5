using Merge.Plugin.Lcsc;
using Merge.Plugin.Searchers;
using Merge.Sdk;
using Merge.Testing;

namespace Plugins.Tests.Conformance;

/// <summary>The kit finds each fault, and names what to look at.</summary>
public sealed class KitTests
{
    [Fact]
    public void A_sound_method_passes() => StrategyConformance.Check(new Sound());

    [Theory]
    [InlineData(typeof(AddsOne), ConformanceRule.Identity, "all inputs are equal")]
    [InlineData(typeof(HidesNaN), ConformanceRule.NotANumber, "NaN in model 0")]
    [InlineData(typeof(DividesByX), ConformanceRule.Options, "with x = 0")]
    [InlineData(typeof(NeedsTwoAxes), ConformanceRule.Options, "IndexOutOfRangeException")]
    [InlineData(typeof(OddBounds), ConformanceRule.Options, "[1, 0]")]
    [InlineData(typeof(SeesBlocks), ConformanceRule.Blocks, "in blocks of 64 bytes")]
    [InlineData(typeof(MindsOrder), ConformanceRule.Permutation, "reverse order")]
    [InlineData(typeof(CopiesTensors), ConformanceRule.Memory, "8.0 bytes")]
    [InlineData(typeof(ReadsFile), ConformanceRule.Files, "ReadsFile.Factor calls File.ReadAllText")]
    [InlineData(typeof(KeepsState), ConformanceRule.State, "KeepsState.Plan writes to KeepsState._calls")]
    public void A_fault_is_found_and_says_where_to_look(Type faulty, ConformanceRule rule, string found)
    {
        var strategy = (MergeStrategy)Activator.CreateInstance(faulty)!;
        var error = Assert.Throws<ConformanceException>(
            () => StrategyConformance.Check(
                strategy, new() { Symmetric = faulty == typeof(MindsOrder), Device = "cpu" }));
        Assert.Contains(error.Findings, f => f.Rule == rule && f.Found.Contains(found) && f.LookAt.Length > 0);
        Assert.Contains("'faulty'", error.Message);
    }

    [Fact]
    public void A_declared_exception_is_let_pass() => StrategyConformance.Check(new AddsOne(), new()
    {
        Exceptions = { [ConformanceRule.Identity] = "adds one" },
    });

    [Fact]
    public void An_exception_that_is_none_is_refused()
    {
        var error = Assert.Throws<ConformanceException>(() => StrategyConformance.Check(new Sound(), new()
        {
            Exceptions = { [ConformanceRule.Identity] = "of old" },
        }));
        Assert.Contains("declared an exception (\"of old\"), but it holds", Assert.Single(error.Findings, f => !f.NotChecked).Found);
    }

    [Fact]
    public void The_searchers_here_conform()
    {
        SearcherConformance.Check(new CmaEsSearcher(), new CmaEsOptions());
        SearcherConformance.Check(new LcscSearcher(), new LcscSearchOptions());
        SearcherConformance.Check(new RandomSearcher(), new RandomSearchOptions());
    }

    [Fact]
    public void A_run_on_arrays_gives_the_values() => Assert.Equal(
        [1.5f, 3f], StrategyRun.Merge(new Sound(), new FaultyOptions(), TestTensor.Of(1, 2), TestTensor.Of(2, 4)));
}

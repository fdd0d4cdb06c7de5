using System.Text.RegularExpressions;
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
    [InlineData(typeof(NeedsTwoAxes), ConformanceRule.Plan, "IndexOutOfRangeException")]
    [InlineData(typeof(ThrowsAtZero), ConformanceRule.Options, "with x = 0: layers.0.bias: faulty threw IndexOutOfRangeException")]
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

    [Theory]
    [InlineData(typeof(ThrowsAfterAwait), "faulty threw ArgumentOutOfRangeException: Too small. (Parameter 'options') Actual value was 1. Look at: "
        + "ThrowsAfterAwait.Plan, ")]
    [InlineData(typeof(ThrowsInExpression), "faulty threw ArgumentOutOfRangeException: Index was out of range")]
    [InlineData(typeof(AwaitsDelay), "faulty awaits something that is no statistic of this scan; expected every await in Plan and Survey to be "
        + "on a Stat. Look at: Task.Delay awaited in AwaitsDelay.Plan, ")]
    [InlineData(typeof(ViewsOneByOne), "View is given a 1×1 matrix; expected 1×301 for a tensor of shape [301]. Look at: ViewsOneByOne.Plan, ")]
    [InlineData(typeof(LowRankOfVectors), "LowRank is given 301×1 · 1×1; expected 1×r · r×301 for a tensor of shape [301]. "
        + "Look at: LowRank in LowRankOfVectors.Plan, ")]
    public void A_fault_of_the_code_is_told_with_its_line_its_cause_and_what_was_not_checked(Type faulty, string said)
    {
        var strategy = (MergeStrategy)Activator.CreateInstance(faulty)!;
        var error = Assert.Throws<ConformanceException>(() => StrategyConformance.Check(strategy, new() { Device = "cpu" }));
        Assert.StartsWith($"Plan: layers.0.bias: {said}", $"{error.Findings[0]}");
        Assert.Contains("// the line that ", Line(error.Findings[0].LookAt));
        Assert.NotNull(error.InnerException);
        Assert.Contains(
            "Options, Identity, Permutation, Blocks, Threads, Determinism, NotANumber, Shapes, Files, State, Memory, Device: not checked, "
            + "because the method does not run",
            error.Message);
        Assert.DoesNotContain("..", error.Message);
        Assert.DoesNotContain("--verbose", error.ToString());
        Assert.Equal([ConformanceRule.Plan], error.Findings.Where(f => !f.NotChecked).Select(f => f.Rule));
    }

    [Fact]
    public void A_run_on_arrays_tells_the_line_and_the_cause_of_a_fault()
    {
        var error = Assert.Throws<MergeException>(() => StrategyRun.Merge(
            new ThrowsAfterAwait(), new FaultyOptions(), TestTensor.Of(1), TestTensor.Of(2)));
        Assert.Contains("threw ArgumentOutOfRangeException: Too small", error.Message);
        Assert.Contains("// the line that throws", Line(error.Message));
        Assert.DoesNotContain("--verbose", error.Message);
        Assert.IsType<ArgumentOutOfRangeException>(error.InnerException);
    }

    [Fact]
    public void What_is_said_of_low_rank_products_names_the_tensors_they_are_for()
    {
        var error = Assert.Throws<MergeException>(() => StrategyRun.Merge(
            new LowRankOfVectors(), new FaultyOptions(), TestTensor.Of(1, 2), TestTensor.Of(2, 3)));
        Assert.Contains("LowRank is for 2-D tensors", error.Message);
        Assert.Contains("how Svd gives it", Assert.Throws<MergeException>(() => StrategyRun.Merge(
            new LowRankOfVectors(), new FaultyOptions(), TestTensor.Rows(2, 1, 2), TestTensor.Rows(2, 2, 3))).Message);
    }

    [Fact]
    public void An_id_that_cannot_be_used_stops_the_other_rules_and_says_so()
    {
        var found = StrategyConformance.Examine(new BadId()).Findings;
        Assert.Contains("the id is 'Bad id'", found[0].Found);
        Assert.Equal(Enum.GetValues<ConformanceRule>().Length, found.Count);
        Assert.All(found.Skip(1), f => Assert.True(f.NotChecked));
    }

    [Fact]
    public void A_model_that_is_not_used_is_named_as_what_may_hide_a_NaN() => Assert.Contains(
        "a model that is not used",
        StrategyConformance.Examine(new IgnoresOthers()).Findings.Single(f => f.Rule == ConformanceRule.NotANumber).LookAt);

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

    // What stands where a finding points to.
    private static string Line(string text)
    {
        var place = Regex.Match(text, @"(?<file>/\S*FaultyStrategies\.cs):(?<line>\d+)");
        Assert.True(place.Success, text);
        return File.ReadAllLines(place.Groups["file"].Value)[int.Parse(place.Groups["line"].Value) - 1];
    }

    [Fact]
    public void A_run_on_arrays_gives_the_values() => Assert.Equal(
        [1.5f, 3f], StrategyRun.Merge(new Sound(), new FaultyOptions(), TestTensor.Of(1, 2), TestTensor.Of(2, 4)));
}

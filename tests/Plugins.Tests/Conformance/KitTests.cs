using System.Text.RegularExpressions;
using Merge.Plugin.Lcsc;
using Merge.Plugin.Searchers;
using Merge.Plugin.Uniform;
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
    [InlineData(typeof(ForgetsParameter), ConformanceRule.Options, "public init property Alpha has no [Parameter]: a recipe cannot set it")]
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
    public void State_is_told_before_what_it_leads_to_and_the_others_name_it()
    {
        var found = StrategyConformance.Examine(new KeepsState(), new() { Device = "cpu" }).Findings.Where(f => !f.NotChecked).ToArray();
        Assert.Equal(ConformanceRule.State, found[0].Rule);
        Assert.Contains(found, f => f.Rule == ConformanceRule.Blocks);
        Assert.All(found.Where(f => f.Rule is ConformanceRule.Blocks or ConformanceRule.Determinism or ConformanceRule.Threads),
            f => Assert.StartsWith("fields and statics that Plan", f.LookAt));
    }

    [Theory]
    [InlineData(11, "11")]
    [InlineData(-0.125, "-0.125")]
    [InlineData(double.NaN, "NaN")]
    public void Options_that_a_recipe_could_not_give_are_refused_as_the_host_refuses_them(double x, string text)
    {
        var said = $"'x' is '{text}'; expected a number in [0, 1] (x)";
        var options = new FaultyOptions { X = x };
        Assert.Equal(said, Assert.Throws<MergeException>(
            () => StrategyRun.Merge(new Sound(), options, TestTensor.Of(1), TestTensor.Of(2))).Message);
        var found = StrategyConformance.Examine(new Sound(), new() { Options = options, Device = "cpu" }).Findings[0];
        Assert.Equal((ConformanceRule.Options, said, "ConformanceSetup.Options"), (found.Rule, found.Found, found.LookAt));
    }

    [Theory]
    [InlineData(2, "'weight' has fewer values than there are models; expected one, or 3")]
    [InlineData(3, "")]
    public void Values_per_model_are_as_many_as_there_are_models(int values, string said)
    {
        var options = new LinearOptions { Weight = new([.. Enumerable.Repeat(0.5, values)]) };
        string Message()
        {
            StrategyRun.Merge(new LinearMerge(), options, null, TestTensor.Of(1), TestTensor.Of(2), TestTensor.Of(3));
            return "";
        }
        Assert.Equal(said, said.Length == 0 ? Message() : Assert.Throws<MergeException>(Message).Message);
    }

    [Fact]
    public void Options_of_another_method_are_told_as_such() => Assert.Equal(
        "the options are a ForgetfulOptions; expected a FaultyOptions, as Sound says",
        Assert.Throws<MergeException>(() => StrategyRun.Merge(
            new Sound(), new ForgetfulOptions(), TestTensor.Of(1), TestTensor.Of(2))).Message);

    [Fact]
    public void Models_that_are_too_few_and_a_base_that_is_missing_are_told_as_such()
    {
        Assert.Equal(
            "faulty is given 0 models, the base not counted; expected 1. Merge takes the base first (null: none), then the models.",
            Assert.Throws<MergeException>(() => StrategyRun.Merge(new Sound(), new FaultyOptions(), TestTensor.Of(1))).Message);
        Assert.Contains("faulty needs a base model", Assert.Throws<MergeException>(
            () => StrategyRun.Merge(new Sound(), new FaultyOptions(), null, TestTensor.Of(1))).Message);
    }

    [Fact]
    public void Values_that_do_not_fill_a_tensor_are_told_as_such()
    {
        Assert.StartsWith("3 values are given, which do not fill rows of 2: ",
            Assert.Throws<ArgumentException>(() => TestTensor.Rows(2, 1, 2, 3)).Message);
        Assert.StartsWith("1 value is given, which do", Assert.Throws<ArgumentException>(() => TestTensor.Rows(0, 1)).Message);
        Assert.Equal("3 values are given for a tensor of shape [2, 2], which holds 4.",
            Assert.Throws<ArgumentException>(() => new TestTensor([2, 2], [1, 2, 3])).Message);
        Assert.Equal([2, 1], TestTensor.Rows(columns: 1, 1, 2).Shape);
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
    public void An_id_of_Merges_own_methods_is_a_finding_and_the_other_rules_are_checked()
    {
        var found = Assert.Single(StrategyConformance.Examine(new TakesAnId(), new() { Device = "cpu" }).Findings, f => !f.NotChecked);
        Assert.StartsWith("the id 'ties' is that of a method of Merge's own", found.Found);
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

    [Fact]
    public void A_forgotten_parameter_of_a_searcher_is_found() => Assert.StartsWith(
        "public init property Alpha has no [Parameter]",
        Assert.Throws<ConformanceException>(() => SearcherConformance.Check(new ForgetfulSearcher(), new ForgetfulOptions())).Findings[0].Found);

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

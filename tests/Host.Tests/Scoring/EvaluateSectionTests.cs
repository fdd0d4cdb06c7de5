using Host.Tests.Recipes;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class EvaluateSectionTests
{
    private const string Merge = "merge_method: linear\nmodels: [{model: a}]\n";

    private static Recipe Parse(string sections) => RecipeParser.Parse("r.yaml", Merge + sections);

    [Fact]
    public void Everything_that_can_be_said_is_read()
    {
        var recipe = Parse("""
            evaluate:
              worker: [python3, eval.py, "{candidate}"]
              timeout: 1.5h
              retries: 3
              workers: 2
              environment: [{CUDA_VISIBLE_DEVICES: 0}, {CUDA_VISIBLE_DEVICES: 1, B: }]
              candidates: {folder: tmp, quota: 20GB}
            objective:
              maximize: {accuracy: 1, loss: -0.5}
              constraints: {latency: "<= 3", "size/mb": ">1e3"}
            splits: {selection: dev, report: null}
            search: {searcher: random, trials: 3}
            """);
        var evaluate = recipe.Evaluate!;
        Assert.Equal((EvaluatorKind.Worker, 3, 2, TimeSpan.FromMinutes(90)),
            (evaluate.Kind, evaluate.Retries, evaluate.Workers, evaluate.Timeout));
        Assert.Equal(["python3", "eval.py", "{candidate}"], evaluate.Arguments);
        Assert.Equal(["0", "1"], evaluate.Environment.Select(e => e["CUDA_VISIBLE_DEVICES"]));
        Assert.Equal(new CandidatesRecipe(CandidatesIn.Disk, "tmp", 20_000_000_000, 9), evaluate.Candidates);
        Assert.Equal("maximize accuracy + -0.5 · loss", recipe.Objective!.ToString());
        Assert.Equal(["latency <= 3", "size/mb > 1000"], recipe.Objective.Constraints.Select(c => c.ToString()));
        Assert.Equal(new SplitsRecipe("dev", null), recipe.Splits);
        Assert.Equal(("random", 3), (recipe.Search!.Searcher, recipe.Search.Trials));
    }

    [Fact]
    public void What_is_not_said_has_a_default()
    {
        var recipe = Parse("evaluate: {plugin: digits}\nobjective: {minimize: loss}\n");
        Assert.Equal((EvaluatorKind.Plugin, "digits", 0), (recipe.Evaluate!.Kind, recipe.Evaluate.Plugin, recipe.Evaluate.Retries));
        Assert.Null(recipe.Evaluate.Timeout);
        Assert.Equal(new CandidatesRecipe(), recipe.Evaluate.Candidates);
        Assert.Equal(new SplitsRecipe(), recipe.Splits);
        Assert.False(recipe.Objective!.Maximize);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once_with_its_line()
    {
        var errors = Expect.Errors(() => Parse("""
            evaluate:
              comand: ls
              timeout: soon
              retries: -1
            objective:
              maximize: {accuracy: much}
              constraints: {latency: 3}
            splits: {selection: a, report: a, test: b}
            """));
        Assert.Contains("r.yaml, line 4: there is no key 'comand' in 'evaluate'; expected one of command, worker, plugin, "
            + "options, timeout, retries, workers, environment, candidates. Did you mean 'command'?", errors);
        Assert.Contains("r.yaml, line 3: 'evaluate' does not say who scores; expected one of command, worker, plugin", errors);
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 5: 'timeout' is 'soon'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 6: 'evaluate.retries' is '-1'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 8: the weight of 'accuracy' is 'much'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 9: the constraint on 'latency' is '3'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 10: there is no key 'test' in 'splits'"));
        Assert.Contains(errors, e => e.StartsWith("r.yaml, line 10: 'selection' and 'report' are both 'a'"));
    }

    [Theory]
    [InlineData("evaluate: {command: [ls], plugin: digits}", "'plugin' stands beside 'command' of line 3")]
    [InlineData("evaluate: {command: [ls], timeout: 0s}", "'timeout' is '0s'; expected a time such as 90s, 30m or 2h")]
    [InlineData("evaluate: {command: []}", "'command' is a list; expected a program and its arguments")]
    [InlineData("evaluate: {command: 'a | b'}", "'command' holds '|', which only a shell understands. There is no shell")]
    [InlineData("evaluate: {command: \"a 'b\"}", "'command' holds a ' that is not closed")]
    [InlineData("evaluate: {command: [ls], workers: 3, environment: [{A: b}]}", "'environment' lists 1 for 3 workers")]
    [InlineData("evaluate: {command: [ls], options: {a: 1}}", "'options' are a plugin's")]
    [InlineData("evaluate: {command: [ls], candidates: {place: ram}}", "'place' is 'ram'; expected one of auto, memory, disk")]
    [InlineData("evaluate: {command: [ls], candidates: {quota: much}}", "'quota' is 'much'; expected a size such as 20GB")]
    [InlineData("evaluate: 3", "'evaluate' is '3'; expected a mapping")]
    [InlineData("objective: accuracy", "'objective' is 'accuracy'; expected a mapping such as 'maximize: accuracy'")]
    [InlineData("objective: {maximize: a, minimize: b}", "'maximize' and 'minimize' are both given")]
    [InlineData("objective: {maximize: {a: 0}}", "the weight of 'a' is '0'; expected a number other than 0")]
    [InlineData("objective: {maximize: {\"\": 1}}", "a metric of the objective has no name")]
    [InlineData("objective: {maximize: a, constraints: {\"\": \"<= 3\"}}", "a metric of the objective has no name")]
    public void A_wrong_section_is_refused(string section, string message) =>
        Assert.Contains(message, Expect.Error(Merge + section), StringComparison.Ordinal);

    [Theory]
    [InlineData("python3 eval.py {candidate} --split {split}", new[] { "python3", "eval.py", "{candidate}", "--split", "{split}" })]
    [InlineData("""a  'b c' "d \"e\"" f\ g ''""", new[] { "a", "b c", "d \"e\"", "f g", "" })]
    public void A_command_line_in_one_text_is_split_as_a_shell_does(string text, string[] words)
    {
        Assert.Equal(words, ArgumentText.Split(text, out var problem));
        Assert.Null(problem);
    }

    [Fact]
    public void A_recipe_that_is_only_merged_says_once_that_the_sections_have_no_effect()
    {
        var idle = Parse("evaluate: {plugin: digits}\nobjective: {maximize: accuracy}\n").IdleSections!;
        Assert.Equal(Severity.Warning, idle.Severity);
        Assert.Equal("r.yaml, line 3: 'evaluate', 'objective' have no effect here: the recipe is merged as it stands. "
            + "`merge search` looks for the best values.", idle.ToString());
        Assert.Null(Parse("").IdleSections);
    }
}

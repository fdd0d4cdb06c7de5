using Host.Tests.Planning;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Recipes;

/// <summary>What <c>metrics:</c> gives the checkpoints of a run.</summary>
public sealed class TrainingMetricsTests : IDisposable
{
    private const string Trajectory = """
        merge_method: mwa
        models: run/checkpoint-*
        """;

    private static readonly string Installed =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));

    private readonly TestModels _models = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed));

    public TrainingMetricsTests()
    {
        foreach (var step in new[] { 500, 1000, 1500 })
            _models.Write($"run/checkpoint-{step}", null, Of("w", 1, 2));
    }

    public void Dispose()
    {
        _catalog.Dispose();
        _models.Dispose();
    }

    [Fact]
    public void The_newest_value_up_to_a_checkpoints_step_is_its_metric()
    {
        State("run/trainer_state.json", (100, 9), (500, 5), (900, 4), (1100, 3), (1500, 2), (1600, 1));
        Assert.Equal([5, 4, 2], Metrics("metrics: run/trainer_state.json"));
    }

    [Fact]
    public void The_mean_is_of_what_was_logged_since_the_checkpoint_before()
    {
        // The oldest looks back as far as the next one is away: after step 0.
        State("run/trainer_state.json", (0, 100), (100, 9), (500, 5), (501, 8), (1000, 4), (1250, 3), (1500, 2));
        Assert.Equal([7, 6, 2.5], Metrics("metrics: {file: run/trainer_state.json, take: mean}"));
    }

    [Fact]
    public void Every_checkpoints_own_state_is_read_where_there_is_no_log_of_the_run()
    {
        foreach (var step in new[] { 500, 1000, 1500 })
            State($"run/checkpoint-{step}/trainer_state.json", (step, 1000.0 / step));
        Assert.Equal([2, 1, 1000.0 / 1500], Metrics("metrics: {name: loss}"));
        Assert.Equal([2, 1, 1000.0 / 1500], Metrics("metrics: trainer_state.json"));
    }

    [Theory]
    [InlineData("log.csv", "step,loss,eval_loss\n100,9,\n500,5,0.5\n\"900\",\"4\",\n1000,,0.25\n1500,2,0.125\n")]
    [InlineData("log.jsonl", """
        {"loss": 9, "step": 100}
        {"step": 500, "loss": 5, "note": "x"}
        {"step": 500, "eval_loss": 0.5}
        {"step": 900, "loss": 4}

        {"step": 1000, "eval_loss": 0.25}
        {"global_step": 1500, "loss": 2, "eval_loss": 0.125}
        """)]
    public void Tables_and_json_lines_are_logs_too(string file, string text)
    {
        Write(file, text);
        Assert.Equal([5, 4, 2], Metrics($"metrics: {file}"));
        Assert.Equal([0.5, 0.25, 0.125], Metrics($"metrics: {{file: {file}, name: eval_loss}}"));
    }

    [Fact]
    public void A_step_needs_no_log() => Assert.Equal(
        [500, 1000, 1500], Metrics("metrics: {name: step}\nparameters: {kind: step}"));

    [Fact]
    public void A_checkpoints_state_knows_its_step_better_than_its_name()
    {
        _models.Write("best-of-3", null, Of("w", 1, 2));
        State("best-of-3/trainer_state.json", (1200, 1));
        Assert.Equal([1200], Metrics("metrics: {name: step}", "merge_method: mwa\nmodels:\n  - model: best-of-3"));
    }

    [Fact]
    public void The_recipes_own_value_stays()
    {
        State("run/trainer_state.json", (500, 5), (1000, 4));
        Assert.Equal([5, 0.25], Metrics("metrics: run/trainer_state.json", """
            merge_method: mwa
            models:
              - model: run/checkpoint-500
              - model: run/checkpoint-1000
                parameters: {metric: 0.25}
            """));
    }

    [Fact]
    public void Every_checkpoint_without_its_metric_is_named()
    {
        State("run/trainer_state.json", (1200, 5));
        var errors = Refused("metrics: run/trainer_state.json");
        Assert.Equal(2, errors.Count);
        Assert.Contains("'run/checkpoint-500' has no metric", errors[0].Found);
        Assert.Contains("logs no 'loss' at or before step 500", errors[0].Found);
        Assert.Contains("'run/checkpoint-1000' has no metric", errors[1].Found);
        Assert.EndsWith("r.yaml, line 3", errors[0].Where);
    }

    [Fact]
    public void Without_metrics_every_checkpoint_is_named()
    {
        var errors = Refused("");
        Assert.Equal(
            ["mwa needs 'metric' for 'run/checkpoint-500'", "mwa needs 'metric' for 'run/checkpoint-1000'",
                "mwa needs 'metric' for 'run/checkpoint-1500'"],
            errors.Select(e => e.Found));
    }

    [Fact]
    public void A_value_the_log_does_not_have_is_guessed()
    {
        State("run/trainer_state.json", (100, 5));
        Assert.All(
            Refused("metrics: {file: run/trainer_state.json, name: los}"), e => Assert.Contains("'loss'", e.Fix));
        Assert.All(
            Refused("metrics: {file: run/trainer_state.json, name: perplexity}"),
            e => Assert.Equal("It logs loss, step.", e.Fix));
    }

    [Theory]
    [InlineData("log.txt", "", "ends in '.txt'")]
    [InlineData("log.json", "{\"a\": 1}", "has no list 'log_history'")]
    [InlineData("log.json", "{\"log_history\": [", "is no JSON")]
    [InlineData("log.jsonl", "{\"step\": 1}\n{\"loss\": }", "is no JSON in line 2")]
    [InlineData("log.csv", "step,note,loss\n500,\"a\nb\",5\n\n1000,a,b,4\n", "has 4 cells in line 5, and its first line names 3 columns")]
    [InlineData("log.csv", "step,loss\n500,5\n1000,\"4\n", "has a quote in line 3 that is never closed")]
    [InlineData("log.csv", "epoch,loss\n1,2", "has no column 'step'")]
    public void What_is_no_log_is_told_once(string file, string text, string found)
    {
        Write(file, text);
        Assert.Contains(found, Assert.Single(Refused($"metrics: {file}")).Found);
    }

    [Fact]
    public void An_infinite_loss_is_no_metric()
    {
        Write("log.csv", "step,loss\n500,inf\n1000,1\n1500,1\n");
        Assert.Contains("'loss' of 'run/checkpoint-500' is", Assert.Single(Refused("metrics: log.csv")).Found);
    }

    [Fact]
    public void A_cell_in_quotes_may_hold_commas_quotes_and_line_ends()
    {
        Write("log.csv", "step,\"note\",loss\r\n500,\"a, \"\"b\"\", c\",5\r\n1000,\"7,8\n9\",4\r\n 1500 , \"x\" , \"2\" ");
        Assert.Equal([5, 4, 2], Metrics("metrics: log.csv"));
    }

    [Theory]
    [InlineData("log.csv", "step,loss\n400,5\n1000,4\n1400,3\n1500,nan\n", "line 5")]
    [InlineData("log.jsonl", "{\"step\": 400, \"loss\": 5}\n{\"step\": 1000, \"loss\": 4}\n{\"step\": 1500, \"loss\": NaN}\n", "line 3")]
    [InlineData("log.json", """{"log_history": [{"step": 400, "loss": 5}, {"step": 1000, "loss": 4}, {"step": 1500, "loss": NaN}]}""",
        "entry 3 of log_history")]
    public void A_loss_of_NaN_is_told_and_no_older_one_taken(string file, string text, string place)
    {
        Write(file, text);
        foreach (var take in new[] { "last", "mean" })
        {
            var error = Assert.Single(Refused($"metrics: {{file: {file}, take: {take}}}"));
            Assert.StartsWith("the 'loss' of 'run/checkpoint-1500' is NaN at step 1500 (", error.Found);
            Assert.EndsWith($"{file}, {place})", error.Found);
        }
    }

    [Theory]
    [InlineData("log.json", """
        {"best_metric": Infinity, "log_history": [{"step": 500, "loss": 5, "grad_norm": NaN, "note": "a \" NaN, -Infinity"},
         {"step": 1000, "loss": 4, "eval_loss": -Infinity}, {"step": 1500, "loss": 2}], "global_step": NaN}
        """)]
    [InlineData("log.jsonl", "{\"step\": 500, \"grad_norm\": NaN, \"loss\": 5}\n{\"step\": 1000, \"loss\": 4, \"x\": [Infinity]}\n"
        + "{\"step\": 1500, \"loss\": 2}\n")]
    [InlineData("log.csv", "step,grad_norm,loss\n500,nan,5\n1000,inf,4\n1500,1,2\n")]
    public void NaN_elsewhere_is_no_matter(string file, string text)
    {
        Write(file, text);
        Assert.Equal([5, 4, 2], Metrics($"metrics: {file}"));
    }

    [Fact]
    public void A_log_that_is_nowhere_is_missed_with_every_place_looked_at()
    {
        var error = Refused("metrics: gone.csv")[0];
        Assert.Contains("there is no log 'gone.csv'; looked for ", error.Found);
        Assert.Contains(Path.Combine("run", "checkpoint-500", "gone.csv"), error.Found);
    }

    [Theory]
    [InlineData("metrics: []", "'metrics' is a list")]
    [InlineData("metrics: {nmae: loss}", "there is no key 'nmae' in 'metrics'")]
    [InlineData("metrics: {take: first}", "'take' is 'first'")]
    [InlineData("metrics: {file: [a]}", "'file' is a list")]
    public void A_wrong_section_is_refused(string section, string found) =>
        Assert.Contains(Refused(section), e => e.Found == found);

    [Fact]
    public void A_method_without_metrics_refuses_them()
    {
        State("run/trainer_state.json", (100, 5));
        var error = Assert.Single(Refused(
            "metrics: run/trainer_state.json", "merge_method: uniform\nmodels: run/checkpoint-*"));
        Assert.Equal("'metrics' gives each model a 'metric', and uniform has no such parameter", error.Found);
    }

    private IReadOnlyList<Diagnostic> Refused(string section, string recipe = Trajectory) =>
        Assert.Throws<MergeException>(() => Plan(section, recipe)).Diagnostics;

    private IReadOnlyList<double> Metrics(string section, string recipe = Trajectory)
    {
        var plan = Plan(section, recipe);
        // The record's type is the plugin's, which loads in a context of its own.
        var options = plan.Tensors[0].Options!;
        var metric = (PerModel<double>)options.GetType().GetProperty("Metric")!.GetValue(options)!;
        return [.. metric.ToList(plan.Models.Count)];
    }

    private MergePlan Plan(string section, string recipe)
    {
        using var planner = new RecipePlanner(_catalog, []);
        return planner.Plan(
            RecipeParser.Parse(Path.Combine(_models.Root, "r.yaml"), $"{recipe}\n{section}"), long.MaxValue);
    }

    private void State(string file, params (long Step, double Loss)[] losses) => Write(file,
        $$"""{"global_step": {{losses[^1].Step}}, "log_history": [{{string.Join(", ",
            losses.Select(l => $$"""{"loss": {{l.Loss:R}}, "step": {{l.Step}}}"""))}}]}""");

    private void Write(string file, string text)
    {
        var path = Path.Combine(_models.Root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Searches as their users run them: what they find and leave, and that nothing is lost however they end.</summary>
public sealed class SearchTests : IDisposable
{
    private const int Interrupt = 2, Kill = 9, Continue = 18, Stop = 19;

    private readonly SearchLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void It_leaves_the_best_model_its_recipe_a_report_and_every_trial()
    {
        _lab.Recipe();
        var outcome = _lab.Succeeds("--json").Json;
        Assert.Equal(24, outcome.GetProperty("trials").GetInt32());
        var scores = _lab.Lines().Select(t => t.GetProperty("objective").GetDouble()).ToArray();
        Assert.Equal(scores.Max(), outcome.GetProperty("best").GetProperty("selection").GetDouble());
        Assert.Equal(4, outcome.GetProperty("ingredients").GetArrayLength());
        Assert.Contains("<html", File.ReadAllText(_lab.Scratch["out/report.html"]));
        // The recipe makes the model, and the model is the one that was scored.
        _lab.Scratch.Succeeds("run", "out/best.yaml", "again/best");
        FolderContent.AssertSame(_lab.Scratch["out/best"], _lab.Scratch["again/best"]);
        var best = Array.IndexOf(scores, scores.Max());
        Assert.Equal(best, outcome.GetProperty("best").GetProperty("trial").GetInt32());
        Assert.Empty(Directory.GetDirectories(_lab.Scratch["out"], "merge-candidates*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Workers_threads_and_candidates_at_once_change_nothing()
    {
        _lab.Recipe();
        _lab.Succeeds("--threads", "1");
        var one = _lab.Trials();
        Directory.Delete(_lab.Scratch["out"], recursive: true);
        _lab.Recipe(evaluate: ", workers: 4, candidates: {place: disk, quota: 5kB}");
        _lab.Succeeds();
        Assert.Equal(one, _lab.Trials());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20)]
    public void Killed_at_any_point_it_goes_on_to_the_same_trials(int trials)
    {
        _lab.Recipe();
        _lab.Succeeds();
        var undisturbed = _lab.Trials();
        Directory.Delete(_lab.Scratch["out"], recursive: true);
        using (var process = _lab.StartUntil(trials))
        {
            process.Signal(Kill);
            Assert.Equal(128 + Kill, process.Wait().ExitCode);
        }
        var resumed = _lab.Succeeds("--resume", "--json").Json.GetProperty("trials_resumed").GetInt32();
        Assert.InRange(resumed, trials, 24);
        Assert.Equal(undisturbed, _lab.Trials());
    }

    [Fact]
    public void A_line_that_was_cut_is_evaluated_again()
    {
        _lab.Recipe();
        _lab.Succeeds();
        var trials = _lab.Trials();
        var lines = File.ReadAllLines(_lab.Journal);
        File.WriteAllText(_lab.Journal, string.Join('\n', lines[..10]) + '\n' + lines[10][..^7]);
        var outcome = _lab.Succeeds("--resume");
        Assert.Contains("last line is cut", outcome.Error);
        Assert.Contains("(9 from the journal)", outcome.Out);
        Assert.Equal(trials, _lab.Trials());
    }

    [Fact]
    public void A_journal_that_an_editor_marked_is_refused_and_left_as_it_is()
    {
        _lab.Recipe();
        _lab.Succeeds();
        byte[] marked = [0xEF, 0xBB, 0xBF, .. File.ReadAllBytes(_lab.Journal)];
        File.WriteAllBytes(_lab.Journal, marked);
        _lab.Fails(1, ["byte-order mark", "journal.jsonl, line 1"], "--resume");
        Assert.Equal(marked, File.ReadAllBytes(_lab.Journal));
    }

    [Fact]
    public void A_line_that_is_damaged_in_the_middle_is_named()
    {
        _lab.Recipe();
        _lab.Succeeds();
        var lines = File.ReadAllLines(_lab.Journal);
        lines[4] = lines[4][..20];
        File.WriteAllLines(_lab.Journal, lines);
        _lab.Fails(1, ["the journal cannot be read", "journal.jsonl, line 5"], "--resume");
    }

    [Fact]
    public void A_journal_of_another_recipe_is_refused_with_what_differs()
    {
        _lab.Recipe();
        _lab.Succeeds();
        _lab.Recipe(search: ", filters: [layers.1]", objective: "{minimize: score}");
        _lab.Fails(2, ["of another search", "'objective' is {minimize: score}", "{maximize: score}, as in the journal", "'search' is "], "--resume");
        // More trials, other workers and comments are the same search.
        _lab.Recipe(evaluate: ", workers: 2", trials: 30);
        Assert.Contains("(24 from the journal)", _lab.Succeeds("--resume").Out);
        Assert.Equal(30, _lab.Trials().Length);
        // Of fewer trials another would be the best, and replace what is there.
        var best = File.ReadAllText(_lab.Scratch["out/best.yaml"]);
        _lab.Recipe(trials: 10);
        _lab.Fails(2, ["the search has 30 trials already, and the recipe asks for 10", "'trials: 30' or more"], "--resume");
        Assert.Equal(best, File.ReadAllText(_lab.Scratch["out/best.yaml"]));
        Assert.Equal(30, _lab.Trials().Length);
    }

    [Fact]
    public void A_second_search_on_the_same_folder_is_refused_until_the_first_is_gone()
    {
        _lab.Recipe();
        using var first = _lab.StartUntil(2);
        first.Signal(Stop);
        _lab.Fails(1, ["another merge is at work on this search"], "--resume");
        Assert.Contains("lcsc", File.ReadAllLines(_lab.Journal)[0]);
        Assert.Equal(0, _lab.Scratch.Merge("trials", "out").ExitCode);
        first.Signal(Continue);
        Assert.Equal(0, first.Wait().ExitCode);
        _lab.Succeeds("--resume");
    }

    [Fact]
    public void A_folder_that_is_there_is_not_written_into_unasked()
    {
        _lab.Recipe();
        _lab.Fails(2, ["no search in this folder to go on with"], "--resume");
        _lab.Scratch.Write("out/notes.txt", "mine");
        _lab.Fails(2, ["holds something else"]);
        File.Delete(_lab.Scratch["out/notes.txt"]);
        _lab.Succeeds();
        _lab.Fails(2, ["there is a search in this folder already", "--resume"]);
    }

    [Fact]
    public void Ctrl_c_keeps_the_trials_and_says_how_to_go_on()
    {
        _lab.Recipe();
        using (var process = _lab.StartUntil(3))
        {
            process.Signal(Interrupt);
            var outcome = process.Wait();
            Assert.True(outcome.ExitCode == 130, outcome.ToString());
            Assert.Contains("merge search r.yaml", outcome.Error);
            Assert.Contains("--resume", outcome.Error);
        }
        _lab.Succeeds("--resume");
        Assert.Equal(24, _lab.Trials().Length);
    }

    [Fact]
    public void Any_parameter_of_any_method_by_layers_and_filters()
    {
        _lab.Scratch.Write("r.yaml", """
            merge_method: task_arithmetic
            base_model: m0
            models: [m1, {model: m2, parameters: {weight: 0.5}}]
            search:
              {searcher: cma-es, trials: 8, layer_groups: 2, filters: [w], rescore: 0, ingredients: false,
               space: {lambda: [0, 1], weight: {low: 0, high: 2, per: model}}}
            evaluate: {command: [sh, eval.sh, "{candidate}", "{split}"]}
            objective: {maximize: score}
            splits: {report: null}
            """);
        var dry = _lab.Succeeds("--dry-run");
        Assert.Matches(@"lambda/layer 0/w +0 +1 +0 … 1", dry.Out);
        Assert.Matches(@"weight\[1\] +0 +2 +0 … 2 +0\.5", dry.Out);
        Assert.False(Directory.Exists(_lab.Scratch["out"]));
        Assert.Contains("no report split", _lab.Succeeds().Out);
        _lab.Scratch.Succeeds("run", "out/best.yaml", "again/best");
        FolderContent.AssertSame(_lab.Scratch["out/best"], _lab.Scratch["again/best"]);
    }

    [Fact]
    public void Everything_wrong_with_the_sections_is_told_at_once()
    {
        _lab.Scratch.Write("r.yaml", """
            merge_method: linear
            models: [m0, m1]
            search:
              searcher: lcsc
              trails: 5
              trials: none
              space: {weight: [1, 0]}
              final: best
            evaluate: {comand: [x]}
            objective: {maximise: score}
            """);
        _lab.Fails(2, ["no key 'trails'", "line 5", "'search.trials' is 'none'", "line 6", "line 7", "'search.final' is 'best'",
            "line 8", "'comand'", "line 9", "'maximise'", "line 10"]);
        _lab.Recipe(search: ", space: [wieght]");
        _lab.Fails(2, ["no parameter 'wieght' to search", "Did you mean 'weight'?"]);
        _lab.Recipe(search: ", final: rescored");
        _lab.Fails(2, ["'final: rescored' picks among the best on a split of its own"]);
        _lab.Scratch.Write("r.yaml", "merge_method: linear\nmodels: [m0, m1]\nsearch: {searcher: lsc}\n");
        _lab.Fails(2, ["no 'evaluate:'", "no 'objective:'", "no searcher 'lsc'", "line 3"]);
        Assert.False(Directory.Exists(_lab.Scratch["out"]));
    }

    [Fact]
    public void The_final_pick_may_be_made_on_a_split_of_its_own()
    {
        _lab.Recipe(search: ", final: rescored");
        File.AppendAllText(_lab.Scratch["r.yaml"], "\nsplits: {selection: s, final: f, report: r}\n");
        var outcome = _lab.Succeeds("--json").Json;
        var best = outcome.GetProperty("best");
        var chosen = _lab.Lines()[best.GetProperty("trial").GetInt32()];
        Assert.Equal(chosen.GetProperty("objective").GetDouble(), best.GetProperty("selection").GetDouble());
        Assert.NotEqual(_lab.Lines().Max(l => l.GetProperty("objective").GetDouble()), best.GetProperty("selection").GetDouble());
    }

    [Fact]
    public void Trials_are_listed_compared_and_exported()
    {
        _lab.Evaluator("echo \"{\\\"score\\\": 0.$sum, \\\"examples\\\": {\\\"score\\\": [0.$sum, 1, 0]}}\"");
        _lab.Recipe();
        _lab.Succeeds();
        Assert.Contains("20 of 24", _lab.Scratch.Succeeds("trials", "out").Out);
        var csv = _lab.Scratch.Succeeds("trials", "out", "--csv").Out.TrimEnd().Split('\n');
        Assert.Equal(25, csv.Length);
        Assert.StartsWith("trial,generation,status,objective,score,seconds,merge_seconds,weight[0],", csv[0]);
        var scores = _lab.Lines().Select(t => t.GetProperty("objective").GetDouble()).OrderDescending().Take(3).ToArray();
        var best = _lab.Scratch.Succeeds("trials", "out", "--csv", "--best", "3").Out.TrimEnd().Split('\n')[1..];
        Assert.Equal(scores, best.Select(row => double.Parse(row.Split(',')[3], CultureInfo.InvariantCulture)));
        Assert.Equal(scores, _lab.Scratch.Succeeds("trials", "out", "--json", "--best", "3").Json.GetProperty("trials")
            .EnumerateArray().Select(t => t.GetProperty("objective").GetDouble()));
        var compared = _lab.Scratch.Succeeds("trials", "out", "--compare", "0", "5");
        Assert.Contains("3 examples", compared.Out);
        Assert.Matches(@"weight\[3\] +", compared.Out);
        Assert.Equal(24, _lab.Scratch.Succeeds("trials", "out", "--json").Json.GetProperty("trials").GetArrayLength());
        Assert.Contains("there is no trial 99", _lab.Scratch.Merge("trials", "out", "--compare", "0", "99").Error);
        Assert.Contains("there is no search here", _lab.Scratch.Merge("trials", "m0").Error);
    }

    [Fact]
    public void The_first_coefficient_of_lcsc_is_shown_wherever_the_others_are()
    {
        _lab.Recipe();
        _lab.Scratch.Write("r.yaml", File.ReadAllText(_lab.Scratch["r.yaml"]).Replace("linear", "lcsc"));
        Assert.Matches(@"coefficient\[0\] \(1 − the others\) +\S+ +m0\n *coefficient\[1\] +\S+ +m1", _lab.Succeeds().Out);
        var best = _lab.Succeeds("--resume", "--json").Json.GetProperty("best");
        var first = best.GetProperty("following").GetProperty("coefficient[0]").GetDouble();
        Assert.Equal(1, first + best.GetProperty("values").EnumerateObject().Sum(v => v.Value.GetDouble()), 9);
        Assert.StartsWith("#", File.ReadAllLines(_lab.Scratch["out/best.yaml"]).Single(l => l.Contains("coefficient[0] is what the others leave")));
        Assert.Contains(">coefficient[0]<", File.ReadAllText(_lab.Scratch["out/report.html"]));
        var csv = _lab.Scratch.Succeeds("trials", "out", "--csv").Out.TrimEnd().Split('\n').Select(l => l.Split(',')).ToArray();
        var column = Array.IndexOf(csv[0], "coefficient[0]");
        Assert.All(csv[1..], row => Assert.Equal(
            1, row[column..(column + 4)].Sum(v => double.Parse(v, CultureInfo.InvariantCulture)), 9));
        Assert.Matches(@"coefficient\[0\] +", _lab.Scratch.Succeeds("trials", "out", "--compare", "0", "5").Out);
    }

    [Fact]
    public void A_journal_of_other_points_is_no_journal_to_go_on_with()
    {
        _lab.Recipe();
        _lab.Succeeds();
        Edit(5, "\"values\":\\[[^,]*,", "\"values\":[0.875,");
        var outcome = _lab.Fails(1, ["trial 5 of the journal is not the point", "Search in another folder"], "--resume");
        Assert.DoesNotContain("to go on", outcome.Error);
    }

    [Fact]
    public void The_result_is_measured_against_the_base_and_the_recipe_as_written_and_that_is_asked_once()
    {
        Counted();
        Write("merge_method: task_arithmetic\nbase_model: m0\nmodels: [m1, m2]\nparameters: {weight: 0.4}\n", trials: 6);
        var outcome = _lab.Succeeds();
        foreach (var name in new[] { @"the best single model \(m\d\)", @"the base model \(m0\)", "the recipe as written" })
        {
            Assert.Matches($@"\n{name} +0\.\d+ +0\.\d+\n", outcome.Out);
            Assert.Matches($@"\nThe (result is (better|worse) than|examples do not tell the result and) {name}.*\(on 'report'\)\n", outcome.Out);
        }
        var report = File.ReadAllText(_lab.Scratch["out/report.html"]);
        Assert.Contains("vs the base model (m0)", report);
        Assert.Contains("vs the recipe as written", report);
        var trials = _lab.Scratch.Succeeds("trials", "out").Out;
        var best = Regex.Match(outcome.Out, @"the result \((?<trial>trial \d)\)").Groups["trial"].Value;
        Assert.Contains($"What it came to: the result is {best}.", trials);
        Assert.Contains("the recipe as written", trials);
        // What was changed by hand is left aside.
        var findings = File.ReadAllText(_lab.Scratch["out/findings.json"]);
        foreach (var broken in new[] { "{}", "[1]", "{\"trials\": \"x\"", findings.Replace("\"trial\":", "\"trail\":") })
        {
            File.WriteAllText(_lab.Scratch["out/findings.json"], broken);
            Assert.DoesNotContain("What it came to", _lab.Scratch.Succeeds("trials", "out").Out);
        }
        // Two splits: the trials, the base, the recipe, the single models; of those the best on the second one.
        var calls = File.ReadAllLines(_lab.Scratch["calls"]).Length;
        var json = _lab.Succeeds("--resume", "--json").Json;
        Assert.Equal(calls, File.ReadAllLines(_lab.Scratch["calls"]).Length);
        Assert.Equal(["the base model (m0)", "the recipe as written"], json.GetProperty("baselines").EnumerateArray().Select(b => b.GetProperty("name").GetString()));
        Assert.Equal(3, json.GetProperty("comparisons").GetArrayLength());
        Assert.True(json.GetProperty("comparisons")[1].GetProperty("low").GetDouble() <= json.GetProperty("comparisons")[1].GetProperty("mean").GetDouble());
        // A search of a version that did not know of them goes on, and has them now.
        File.Delete(_lab.Scratch["out/findings.json"]);
        var lines = File.ReadAllLines(_lab.Journal);
        lines[0] = lines[0].Replace(",\"models\":[\"m1\",\"m2\"]", "");
        File.WriteAllLines(_lab.Journal, lines);
        File.WriteAllLines(_lab.Scratch["out/scores.jsonl"],
            File.ReadAllLines(_lab.Scratch["out/scores.jsonl"]).Where(l => !l.Contains("base-model") && !l.Contains("as-written")));
        Assert.DoesNotContain("What it came to", _lab.Scratch.Succeeds("trials", "out").Out);
        Assert.Contains("the recipe as written", _lab.Succeeds("--resume").Out);
    }

    [Fact]
    public void A_recipe_without_its_values_is_no_baseline_and_the_average_stands_in()
    {
        Counted();
        Write("merge_method: lcsc\nmodels: [m0, m1, m2, m3]\n", trials: 6);
        var outcome = _lab.Succeeds().Out;
        Assert.Matches(@"\nthe uniform average +0\.\d+ +0\.\d+\n", outcome);
        Assert.Contains("The recipe as written is no baseline: it cannot be merged: 'coefficient' is missing", outcome);
        Directory.Delete(_lab.Scratch["out"], recursive: true);
        Write("merge_method: linear\nmodels: [m0, m1]\nparameters: {weight: 1}\n", trials: 1);
        Assert.Contains("The result is the recipe as written (the uniform average): no trial scored better.", _lab.Succeeds().Out);
    }

    [Fact]
    public void A_plugin_that_throws_now_and_then_is_blamed_with_how_often()
    {
        _lab.Scratch.Write("r.yaml", """
            merge_method: throws-in-plan
            models: [m0]
            search: {searcher: random, trials: 20, rescore: 0}
            evaluate: {command: [sh, eval.sh, "{candidate}", "{split}"]}
            objective: {maximize: score}
            """);
        var outcome = _lab.Succeeds("--plugins", Path.Combine(MergeProcess.TestPlugins, "Throws"));
        Assert.Matches(@"\n\d+ of 20 trials have no score:\n\d+ trials: it cannot be merged: .*throws-in-plan threw InvalidOperationException: "
            + @"a fault of the plugin \(to act: the author of the plugin\)\n", outcome.Out);
        // One model has no average.
        Assert.DoesNotContain("uniform average", outcome.Out);
    }

    [Fact]
    public void What_is_searched_is_shown_with_where_it_begins()
    {
        Write("merge_method: wise-ft\nbase_model: m0\nmodels: [m1]\n", trials: 1);
        var dry = _lab.Succeeds("--dry-run").Out;
        Assert.Contains("of 1 model; 1 number is searched by", dry);
        Assert.Equal(0.5, _lab.Succeeds("--dry-run", "--json").Json.GetProperty("space")[0].GetProperty("begins_at").GetDouble());
        Assert.Matches(@"alpha +0 +1 +0 … 1 +0\.5 \*\n\*: the recipe gives no value", dry);
        Assert.DoesNotContain("may leave", dry);
        Write("merge_method: linear\nmodels: [m0, m1]\nparameters: {weight: 0.25}\n", trials: 1);
        dry = _lab.Succeeds("--dry-run").Out;
        Assert.Matches(@"weight\[0\] +0 +1 +0\.25\n", dry);
        Assert.Contains("it may leave them", dry);
        Write("merge_method: passthrough\nmodels: [m0]\n", trials: 1);
        _lab.Fails(2, ["no parameter that is marked as searchable", "merge evaluate"]);
    }

    private void Counted() => _lab.Evaluator(
        "echo x >> calls; echo \"{\\\"score\\\": 0.$sum, \\\"examples\\\": {\\\"score\\\": [0.$sum, 1, 0]}}\"");

    private void Write(string recipe, int trials) => _lab.Scratch.Write("r.yaml", recipe + $$"""
        search: {searcher: random, trials: {{trials}}, rescore: 0}
        evaluate: {command: [sh, eval.sh, "{candidate}", "{split}"]}
        objective: {maximize: score}
        """);

    [Fact]
    public void A_score_that_was_edited_is_not_believed()
    {
        _lab.Recipe();
        _lab.Succeeds();
        Edit(5, "\"objective\":[0-9.]+", "\"objective\":0.9999");
        _lab.Fails(1, ["the score of trial 5 is not that of its metrics: it says 0.9999", "journal.jsonl, line 7", "expected"], "--resume");
        var trials = _lab.Scratch.Merge("trials", "out");
        Assert.Equal(1, trials.ExitCode);
        Assert.Contains("journal.jsonl, line 7", trials.Error);
    }

    [Fact]
    public void A_search_within_a_model_is_refused()
    {
        _lab.Recipe();
        var outcome = _lab.Scratch.Merge("search", "r.yaml", "m1/found");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("within a model that is merged", outcome.Error);
        Assert.False(Directory.Exists(_lab.Scratch["m1/found"]));
    }

    private void Edit(int trial, string pattern, string replacement)
    {
        var lines = File.ReadAllLines(_lab.Journal);
        var edited = Regex.Replace(lines[trial + 1], pattern, replacement);
        Assert.NotEqual(lines[trial + 1], edited);
        lines[trial + 1] = edited;
        File.WriteAllLines(_lab.Journal, lines);
    }

    [Fact]
    public void The_evaluators_own_noise_is_measured_on_request()
    {
        _lab.Recipe();
        Assert.Contains("repeats itself exactly", _lab.Succeeds("--measure-noise", "2").Out);
        Directory.Delete(_lab.Scratch["out"], recursive: true);
        // Pure noise: no candidate is better than another.
        _lab.Evaluator("echo \"{\\\"score\\\": $(od -An -N2 -tu2 /dev/urandom)}\"");
        Assert.Matches("signal to noise", _lab.Succeeds("--measure-noise", "6").Out);
    }

    [Fact]
    public void Merging_the_recipe_says_that_its_search_has_no_effect()
    {
        _lab.Recipe();
        var outcome = _lab.Scratch.Merge("run", "r.yaml", "merged");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("'search', 'evaluate', 'objective' have no effect here", outcome.Error);
    }
}

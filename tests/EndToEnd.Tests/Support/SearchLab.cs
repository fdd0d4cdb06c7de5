using System.Text.Json;
using System.Text.Json.Nodes;

namespace EndToEnd.Tests.Support;

/// <summary>Four small models, and an evaluation by a shell script whose score is a function of the candidate's bytes.</summary>
internal sealed class SearchLab : IDisposable
{
    /// <summary>An arbitrary but repeatable number in [0, 1), another on each split.</summary>
    public const string Score = "sum=$( (cat \"$1/model.safetensors\"; echo $2) | cksum | cut -d' ' -f1 )\n";

    public SearchLab()
    {
        for (var i = 0; i < 4; i++)
        {
            TinyCheckpoint.Write(
                Scratch[$"m{i}"], TinyTensor.Pattern("F32", "layers.0.w", [4, 8], i), TinyTensor.Pattern("F32", "layers.1.w", [8], 50 + i));
        }
        Evaluator("echo \"{\\\"score\\\": 0.$sum}\"");
    }

    public Scratch Scratch { get; } = new();

    public string Journal => Scratch["out/journal.jsonl"];

    /// <summary>Replaces the script; <c>$sum</c> is the candidate's number.</summary>
    public void Evaluator(string body) => Scratch.Write("eval.sh", Score + body + "\n");

    /// <summary>A recipe of 24 trials.</summary>
    public string Recipe(string search = "", string evaluate = "", string objective = "{maximize: score}", int trials = 24) => Scratch.Write("r.yaml", $$"""
        merge_method: linear
        models: [m0, m1, m2, m3]
        search: {searcher: lcsc, options: {population: 5, offspring: 5, top_k: 3}, trials: {{trials}}, rescore: 3, seed: 7{{search}}}
        evaluate: {command: [sh, eval.sh, "{candidate}", "{split}"]{{evaluate}}}
        objective: {{objective}}
        """);

    public Outcome Search(params string[] more) => Scratch.Merge(["search", "r.yaml", "out", .. more]);

    public Outcome Succeeds(params string[] more)
    {
        var outcome = Search(more);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return outcome;
    }

    /// <summary>The search must end like this, with these words and no stack.</summary>
    public Outcome Fails(int exitCode, string[] words, params string[] more)
    {
        var outcome = Search(more);
        Assert.True(outcome.ExitCode == exitCode, outcome.ToString());
        Assert.All(words, word => Assert.Contains(word, outcome.Error));
        Assert.DoesNotContain("   at Merge.", outcome.Error);
        Assert.DoesNotContain("fault in merge itself", outcome.Error);
        return outcome;
    }

    /// <summary>The trials without what depends on the clock.</summary>
    public string[] Trials(string folder = "out") =>
    [
        .. File.ReadAllLines(Scratch[$"{folder}/journal.jsonl"]).Skip(1).Select(line =>
        {
            var trial = JsonNode.Parse(line)!.AsObject();
            trial.Remove("seconds");
            trial.Remove("merge_seconds");
            trial.Remove("log");
            return trial.ToJsonString();
        }),
    ];

    public JsonElement[] Lines() => [.. File.ReadAllLines(Journal).Skip(1).Select(l => JsonElement.Parse(l))];

    /// <summary>Starts a search and waits until this many trials are in its journal.</summary>
    public MergeProcess StartUntil(int trials)
    {
        var process = Scratch.Start("search", "r.yaml", "out");
        for (var waited = 0; CountLines() <= trials; waited++)
        {
            Assert.False(process.HasExited, "the search ended before it could be interrupted");
            Assert.True(waited < 60_000, "the search made no trial");
            Thread.Sleep(2);
        }
        return process;
    }

    public void Dispose() => Scratch.Dispose();

    private int CountLines()
    {
        if (!File.Exists(Journal))
            return 0;
        using var file = new FileStream(Journal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }
}

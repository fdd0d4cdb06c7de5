using System.Runtime.CompilerServices;
using Merge.Scoring;

namespace Host.Tests.Scoring;

/// <summary>The worker for lm-evaluation-harness against a package of that name with its interface, as of version 0.4.</summary>
public sealed class LmEvalWorkerTests : IDisposable
{
    // simple_evaluate's parameters by their names, and the layout of what it returns: samples a task, in no order, each document
    // once a filter, the metrics' values beside their names.
    private const string Harness = """
        import os
        def simple_evaluate(model, model_args=None, tasks=None, num_fewshot=None, batch_size=None, max_batch_size=None,
                device=None, use_cache=None, cache_requests=False, rewrite_requests_cache=False, delete_requests_cache=False,
                limit=None, samples=None, bootstrap_iters=100000, check_integrity=False, write_out=False, log_samples=True,
                evaluation_tracker=None, system_instruction=None, apply_chat_template=False, fewshot_as_multiturn=True,
                gen_kwargs=None, task_manager=None, verbosity=None, predict_only=False, random_seed=0,
                numpy_random_seed=1234, torch_random_seed=1234, fewshot_random_seed=1234, confirm_run_unsafe_code=False,
                metadata=None):
            print("loading", model, tasks)
            assert model == "hf" and model_args["dtype"] == "bfloat16" and batch_size == "auto" and limit == 6
            if not os.path.exists(os.path.join(model_args["pretrained"], "config.json")):
                raise OSError("no config.json")
            def sample(doc, key, **metrics):
                return {"doc_id": doc, "doc": {}, "target": "", "arguments": [], "resps": [[]], "filtered_resps": [],
                        "filter": key, "metrics": list(metrics), "doc_hash": "", "prompt_hash": "", "target_hash": "", **metrics}
            return {"results": {}, "samples": {
                "arc": [sample(d, "none", acc=d in (2, 3, 5), acc_norm=d / 10) for d in (5, 0, 3, 2, 4, 1)],
                "gsm8k": [sample(d, key, exact_match=float(d % 4 == rest)) for key, rest in (("strict", 0), ("flexible", 2)) for d in range(6)],
                "wikitext": [sample(d, "none", word_perplexity=(-1.5, 7)) for d in range(6)],
                "mmlu_a": [sample(d, "none", acc=float(d < 3)) for d in range(6)],
                "mmlu_b": [sample(d, "none", acc=1.0) for d in range(2)],
            }, "group_subtasks": {"mmlu": ["mmlu_stem"], "mmlu_stem": ["mmlu_a", "mmlu_b"], "arc": []}, "configs": {}, "versions": {}}
        """;

    private readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    [PythonFact]
    public async Task Documents_of_a_split_are_scored_one_by_one_filter_by_filter()
    {
        Directory.CreateDirectory(_lab["packages/lm_eval"]);
        File.WriteAllText(_lab["packages/lm_eval/__init__.py"], Harness);
        var worker = _lab.Open(
            $"{{worker: [python3, {Samples}/lm_eval_worker.py, --tasks, 'arc,gsm8k,wikitext', --limit, '6'], environment: {{PYTHONPATH: {_lab["packages"]}}}}}",
            "{maximize: arc/acc}");
        var score = await _lab.Score(worker);
        Assert.True(score.Status is ScoreStatus.Ok, score.Error);
        Assert.Equal([0.0, 1, 0], score.Examples["arc/acc"]);
        Assert.Equal([0.0, 0.2, 0.4], score.Examples["arc/acc_norm"]);
        Assert.Equal([1.0, 0, 1], score.Examples["gsm8k/exact_match,strict"]);
        Assert.Equal([0.0, 1, 0], score.Examples["gsm8k/exact_match,flexible"]);
        // All documents of the group's tasks that are of the split: three, and one.
        Assert.Equal([1.0, 1, 0, 1], score.Examples["mmlu/acc"]);
        Assert.Equal(0.75, score.Metrics["mmlu_stem/acc"]);
        Assert.Equal(8, score.Examples.Count);
        Assert.Equal(1 / 3.0, score.Objective);
        Assert.Equal([0.0, 1, 1], (await _lab.Score(worker, split: "report")).Examples["arc/acc"]);
        Assert.Equal("the worker says: KeyError: 'final'", (await _lab.Score(worker, split: "final")).Error);
    }

    private static string Samples { get; } = Path.GetFullPath(Path.Combine(Here(), "../../../samples/evaluators"));

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}

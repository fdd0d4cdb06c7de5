"""Scores language models with EleutherAI's lm-evaluation-harness (pip install lm-eval), as a worker.

    evaluate: {worker: [python3, lm_eval_worker.py, --tasks, "arc_easy,hellaswag", --limit, "200"]}
    objective: {maximize: "arc_easy/acc"}

The splits of a recipe are parts of the tasks' documents here: "selection" takes those of even, "report" those of odd
number. The harness answers all of them in either case: a call costs twice what it needs.

A metric is called TASK/METRIC; of a task with answer filters (gsm8k) TASK/METRIC,FILTER. A group of tasks (mmlu) has the
metrics that all of its tasks have: GROUP/METRIC is the mean over their documents.

Tested against a stand-in with the harness's interface (0.4): where Merge is built there is neither the harness nor a GPU.
"""
import argparse
import numbers

import lm_eval

from merge_worker import serve

parser = argparse.ArgumentParser()
parser.add_argument("--tasks", required=True)
parser.add_argument("--limit", type=int, help="documents of each task, both splits together")
parser.add_argument("--num-fewshot", type=int)
parser.add_argument("--apply-chat-template", action="store_true")
parser.add_argument("--fewshot-as-multiturn", action="store_true")
parser.add_argument("--batch-size", default="auto")
parser.add_argument("--dtype", default="bfloat16")
arguments = parser.parse_args()


def leaves(group, parts):
    """The tasks below a group, each once, in their order."""
    below = [task for part in parts.get(group, ()) for task in leaves(part, parts)]
    return list(dict.fromkeys(below)) or [group]


def score(folder, split):
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": folder, "dtype": arguments.dtype},
        tasks=arguments.tasks.split(","),
        limit=arguments.limit,
        num_fewshot=arguments.num_fewshot,
        apply_chat_template=arguments.apply_chat_template,
        fewshot_as_multiturn=arguments.fewshot_as_multiturn,
        batch_size=arguments.batch_size,
        log_samples=True,
    )
    rest = {"selection": 0, "report": 1}[split]
    examples = {}
    for task, samples in results["samples"].items():
        # With several answer filters, each document is there once for each.
        for sample in sorted(samples, key=lambda s: s["doc_id"]):
            if sample["doc_id"] % 2 != rest:
                continue
            for name in sample.get("metrics", ("acc", "acc_norm", "exact_match")):
                value = sample.get(name)
                # A perplexity is no mean over documents: its samples are pairs.
                if isinstance(value, numbers.Number) or hasattr(value, "item"):
                    answers = sample.get("filter", "none")
                    metric = f"{task}/{name}" if answers == "none" else f"{task}/{name},{answers}"
                    examples.setdefault(metric, []).append(float(value))
    # A group (mmlu) counts all documents of its tasks alike; of the split, unlike the mean that the harness gives.
    parts = results.get("group_subtasks", {})
    for group in parts:
        tasks = [task for task in leaves(group, parts) if task in results["samples"]]
        if group in tasks:
            continue
        names = [{name[len(task) + 1:] for name in examples if name.startswith(f"{task}/")} for task in tasks]
        for name in set.intersection(*names) if names else ():
            examples[f"{group}/{name}"] = [value for task in tasks for value in examples[f"{task}/{name}"]]
    # Their means are the metrics.
    return {"examples": examples}


serve(score)

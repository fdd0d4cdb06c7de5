"""Scores language models with EleutherAI's lm-evaluation-harness (pip install lm-eval), as a worker.

    evaluate: {worker: [python3, lm_eval_worker.py, --tasks, "arc_easy,hellaswag", --limit, "200"]}
    objective: {maximize: "arc_easy/acc"}

The splits of a recipe are parts of the tasks' documents here: "selection" takes those of even, "report" those of odd
number. Not run where Merge is built, which has neither the harness nor a GPU: an example to start from.
"""
import argparse

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


def score(folder, split):
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args=f"pretrained={folder},dtype={arguments.dtype}",
        tasks=arguments.tasks.split(","),
        limit=arguments.limit,
        num_fewshot=arguments.num_fewshot,
        apply_chat_template=arguments.apply_chat_template,
        fewshot_as_multiturn=arguments.fewshot_as_multiturn,
        batch_size=arguments.batch_size,
        log_samples=True,
    )
    rest = {"selection": 0, "report": 1}[split]
    metrics, examples = {}, {}
    for task, samples in results["samples"].items():
        samples = [s for s in sorted(samples, key=lambda s: s["doc_id"]) if s["doc_id"] % 2 == rest]
        for name in ("acc", "acc_norm", "exact_match"):
            values = [float(s[name]) for s in samples if name in s]
            if values:
                examples[f"{task}/{name}"] = values
                metrics[f"{task}/{name}"] = sum(values) / len(values)
    return {**metrics, "examples": examples}


serve(score)

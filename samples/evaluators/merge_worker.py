"""Makes a Python function an evaluator that `merge search` starts once (`evaluate: {worker: [python3, my_eval.py]}`).

    from merge_worker import serve

    def score(folder, split):
        return {"accuracy": 0.9, "examples": [1, 1, 0]}

    serve(score)

Python 3.8 or later, standard library only: copy this file beside yours.
"""
import json
import os
import sys
import traceback


def serve(score):
    """Answers until the host closes the worker's input.

    score(folder, split): folder holds a complete model (config, tokenizer, weights) and is removed after the call.
    Returns a dict: numbers are metrics, nested dicts too ("arc": {"acc": 0.5} is the metric "arc/acc"); "examples",
    if there, holds the scores of single examples by metric, in the same order for every model. An exception fails
    this model, not the worker.
    """
    # The protocol keeps the real streams for itself. Whatever else prints, C libraries included, goes to standard
    # error, which the host keeps for every trial; nothing else may read the requests.
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)

    for line in requests:
        request = json.loads(line)
        try:
            result = score(request["candidate"], request["split"])
            # default=float: numbers of NumPy and PyTorch.
            answer = json.dumps({**result, "id": request["id"]}, default=float)
        except Exception as error:
            traceback.print_exc()
            answer = json.dumps({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(answer + "\n")
        answers.flush()

"""Scores a digits classifier (samples/digits) without any library: how to read safetensors, and both protocols.

    python3 digits_eval.py FOLDER --split report      prints one JSON line: `evaluate: {command: …}`
    python3 digits_eval.py --worker                   answers requests:     `evaluate: {worker: …}`
"""
import argparse
import array
import json
import math
import operator
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("DIGITS_DATA", os.path.join(HERE, "..", "digits", "data"))


def read_safetensors(path):
    """All tensors of a file as lists of rows; float32 only. A vector is one row."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        tensors = {}
        for name, info in header.items():
            if name == "__metadata__":
                continue
            if info["dtype"] != "F32":
                raise ValueError(f"{name} is {info['dtype']}; this example reads F32 only")
            begin, end = info["data_offsets"]
            file.seek(8 + length + begin)
            values = array.array("f", file.read(end - begin))
            if sys.byteorder == "big":
                values.byteswap()
            width = info["shape"][-1] if info["shape"] else 1
            tensors[name] = [list(values[i:i + width]) for i in range(0, len(values), width)]
        return tensors


def read_images(split):
    """Pixels from 0 to 1 and the digit, of the first or the second half of the rows."""
    with open(os.path.join(DATA, "optdigits.tes"), encoding="ascii") as file:
        rows = [line.split(",") for line in file]
    half = len(rows) // 2
    rows = {"selection": rows[:half], "report": rows[half:]}[split]
    # The files hold the digit divided by ten.
    return [([int(cell) / 16 for cell in row[:-1]], round(float(row[-1]) * 10)) for row in rows]


def linear(rows, bias, inputs):
    return [sum(map(operator.mul, row, inputs)) + b for row, b in zip(rows, bias)]


def logits(model, pixels):
    hidden = pixels
    for layer in ("layers.0", "layers.1"):
        hidden = [max(0.0, x) for x in linear(model[layer + ".weight"], model[layer + ".bias"][0], hidden)]
    mean = sum(hidden) / len(hidden)
    variance = sum((x - mean) ** 2 for x in hidden) / len(hidden)
    scale = 1 / math.sqrt(variance + 1e-5)
    normed = [(x - mean) * scale * w + b for x, w, b in zip(hidden, model["norm.weight"][0], model["norm.bias"][0])]
    return linear(model["head.weight"], model["head.bias"][0], normed)


def score(folder, split):
    model = read_safetensors(os.path.join(folder, "model.safetensors"))
    right = []
    for pixels, digit in read_images(split):
        outputs = logits(model, pixels)
        right.append(int(outputs.index(max(outputs)) == digit))
    return {"accuracy": sum(right) / len(right), "examples": {"accuracy": right}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--split", default="selection")
    parser.add_argument("--worker", action="store_true")
    arguments = parser.parse_args()
    if arguments.worker:
        from merge_worker import serve
        serve(score)
    else:
        print(json.dumps(score(arguments.folder, arguments.split)))

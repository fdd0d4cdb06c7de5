"""Makes the cases of the subspace methods: the papers' formulas in numpy, float64, from the inputs here. python3 subspace.py"""
import json, os, struct
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def read(path):
    raw = open(os.path.join(HERE, path), "rb").read()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + length])
    data = raw[8 + length:]
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]).astype(np.float64)
            for name, t in header.items() if name != "__metadata__"}


def write(path, tensors):
    header, at, data = {}, 0, b""
    for name in sorted(tensors):
        piece = np.ascontiguousarray(tensors[name], "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, at + len(piece)]}
        at, data = at + len(piece), data + piece
    # As the safetensors library lays it out: compact, ending at a multiple of 8.
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def svd(a):
    return np.linalg.svd(a, full_matrices=False)


def polar(a):
    u, _, vt = svd(a)
    return u @ vt


def iso_c(deltas, lam):
    u, s, vt = svd(sum(deltas))
    return lam * s.mean() * u @ vt


def iso_cts(deltas, lam, fraction):
    size, tasks = min(deltas[0].shape), len(deltas)
    each = round((size - int(size * fraction)) / tasks)
    common = size - each * tasks
    u, s, vt = (x for x in svd(sum(deltas)))
    uc, sc, vc = u[:, :common], s[:common], vt[:common]
    us, ss, vs = [], [], []
    for delta in deltas:
        a, b, c = svd(delta - uc @ uc.T @ delta)
        us.append(a[:, :each]); ss.append(b[:each]); vs.append(c[:each])
    sigma = np.concatenate(ss + [sc]).mean()
    return lam * sigma * polar(np.hstack(us + [uc])) @ polar(np.vstack(vs + [vc]))


def tsv(deltas, lam):
    kept = max(1, min(deltas[0].shape) // len(deltas))
    parts = [svd(d) for d in deltas]
    u = np.hstack([p[0][:, :kept] for p in parts])
    s = np.concatenate([p[1][:kept] for p in parts])
    v = np.vstack([p[2][:kept] for p in parts])
    return lam * polar(u) @ np.diag(s) @ polar(v)


def arithmetic(deltas, weights):
    return sum(w * d for w, d in zip(weights, deltas))


def ties(deltas, weights, density):
    x = []
    for w, d in zip(weights, deltas):
        keep = int(density * d.size)
        order = np.argsort(-np.abs(d.ravel()), kind="stable")[:keep]
        trimmed = np.zeros(d.size)
        trimmed[order] = d.ravel()[order]
        x.append(w * trimmed.reshape(d.shape))
    sign = np.where(sum(x) >= 0, 1.0, -1.0)
    agree = [v * sign > 0 for v in x]
    divisor = sum(w * a for w, a in zip(weights, agree))
    return sum(v * a for v, a in zip(x, agree)) / np.where(divisor == 0, 1, divisor)


def boosted(delta, lam, beta):
    if delta.ndim != 2:
        return lam * delta
    u, s, vt = svd(delta)
    j = int(np.argmax(np.cumsum(s) / s.sum() >= beta))
    return lam * u @ np.diag(np.maximum(s, s[j])) @ vt


def two_dim(merge, lam):
    return lambda deltas: merge(deltas) if deltas[0].ndim == 2 else lam * sum(deltas) / len(deltas)


MODELS = [f"inputs/ft{i}.f32.safetensors" for i in (1, 2, 3)]
WEIGHTS = [1.0, 0.5, 0.25]
CASES = {
    "iso_c": ("iso_c", {}, {"lambda": 0.8}, two_dim(lambda d: iso_c(d, 0.8), 0.8)),
    "iso_cts": ("iso_cts", {}, {"lambda": 1.1}, two_dim(lambda d: iso_cts(d, 1.1, 0.8), 1.1)),
    "iso_cts_half": ("iso_cts", {}, {"common_fraction": 0.5}, two_dim(lambda d: iso_cts(d, 1, 0.5), 1)),
    "tsv_merge": ("tsv_merge", {}, {"lambda": 0.9}, two_dim(lambda d: tsv(d, 0.9), 0.9)),
    "subspace_boosting": ("subspace_boosting", {"weight": WEIGHTS}, {"lambda": 0.7},
                          lambda d: boosted(arithmetic(d, WEIGHTS), 0.7, 0.2)),
    "subspace_boosting_ties": ("subspace_boosting", {"weight": WEIGHTS, "density": [0.5] * 3}, {"merge": "ties", "beta": 0.4},
                               lambda d: boosted(ties(d, WEIGHTS, 0.5), 1, 0.4)),
}

if __name__ == "__main__":
    base, models = read("inputs/base.f32.safetensors"), [read(m) for m in MODELS]
    for case, (method, per_model, parameters, merge) in CASES.items():
        folder = os.path.join(HERE, "cases", case)
        os.makedirs(folder, exist_ok=True)
        write(os.path.join(folder, "expected.safetensors"),
              {n: base[n] + merge([m[n] - base[n] for m in models]) for n in base})
        with open(os.path.join(folder, "case.json"), "w") as file:
            json.dump({"case": case, "method": method, "models": MODELS, "base_model": "inputs/base.f32.safetensors",
                       "model_parameters": per_model, "parameters": parameters, "dtype": None, "random_seed": None,
                       "source": "subspace.py, numpy, float64"}, file, indent=1)

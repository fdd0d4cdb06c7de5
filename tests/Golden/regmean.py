"""Makes the Gram matrices and the cases of regmean: the paper's formula in numpy, float64. python3 regmean.py"""
import json, os
import numpy as np
from subspace import HERE, MODELS, read, write

LINEAR = ["model.layers.0.mlp.down_proj.weight", "model.layers.0.self_attn.q_proj.weight", "lm_head.weight"]
CASES = {"regmean": 0.9, "regmean_plain": 1.0, "regmean_diagonal": 0.0}


def gram(random, inputs):
    # Inputs that have to do with each other, some of them stronger.
    samples = 4 * inputs
    x = random.standard_normal((samples, inputs)) @ (np.eye(inputs) + 0.3 * random.standard_normal((inputs, inputs)))
    x *= np.exp(random.standard_normal(inputs))
    return x.T @ x / samples


def merged(weights, grams, alpha):
    scaled = [alpha * g + (1 - alpha) * np.diag(np.diag(g)) for g in grams]
    # The paper's W is [inputs, outputs].
    w = np.linalg.inv(sum(scaled)) @ sum(g @ w.T for g, w in zip(scaled, weights))
    return w.T


if __name__ == "__main__":
    base, models = read("inputs/base.f32.safetensors"), [read(m) for m in MODELS]
    paths = [m.replace(".f32.", ".gram.f32.") for m in MODELS]
    for number, path in enumerate(paths):
        random = np.random.Generator(np.random.PCG64(100 + number))
        write(os.path.join(HERE, path), {n: gram(random, base[n].shape[1]) for n in LINEAR})
    grams = [read(p) for p in paths]
    for case, alpha in CASES.items():
        folder = os.path.join(HERE, "cases", case)
        os.makedirs(folder, exist_ok=True)
        write(os.path.join(folder, "expected.safetensors"), {
            n: merged([m[n] for m in models], [g[n] for g in grams], alpha) if n in LINEAR else sum(m[n] for m in models) / len(models)
            for n in base})
        with open(os.path.join(folder, "case.json"), "w") as file:
            json.dump({"case": case, "method": "regmean", "models": MODELS, "base_model": None,
                       "model_parameters": {"gram_path": paths}, "parameters": {"alpha": alpha}, "dtype": None, "random_seed": None,
                       "source": "regmean.py, numpy, float64"}, file, indent=1)

"""Writes folders in the layout of DeepSpeed's checkpoints with PyTorch's torch.save (DeepSpeed itself is not used).

*_expected.pt hold what the folders are made of: every weight and moment whole.
"""
import enum
import math
import os
import shutil
import sys
import types
from collections import OrderedDict

import torch

here = os.path.dirname(os.path.abspath(__file__))


def module(name, **content):
    made = types.ModuleType(name)
    for key, value in content.items():
        value.__module__ = name
        value.__qualname__ = key
        setattr(made, key, value)
    sys.modules[name] = made


class ZeroStageEnum(enum.IntEnum):
    optimizer_states = 1
    gradients = 2
    weights = 3


class LossScaler:
    pass


for parent in ["deepspeed", "deepspeed.runtime", "deepspeed.runtime.zero", "deepspeed.runtime.fp16"]:
    module(parent)
module("deepspeed.runtime.zero.config", ZeroStageEnum=ZeroStageEnum)
module("deepspeed.runtime.fp16.loss_scaler", LossScaler=LossScaler)

# Two groups, as with and without weight decay; no size is a multiple of the ranks.
SHAPES = [
    OrderedDict([("embed.weight", torch.Size([5, 3])), ("layer.weight", torch.Size([3, 3]))]),
    OrderedDict([("layer.bias", torch.Size([3])), ("norm.weight", torch.Size([4]))]),
]


def counted(shape, start):
    return (torch.arange(shape.numel(), dtype=torch.float32) + start).reshape(shape)


def values(start, scale=1.0):
    return {n: counted(s, start + 100 * i) * scale for i, (n, s) in enumerate((n, s) for g in SHAPES for n, s in g.items())}


WEIGHTS, FIRST, SECOND = values(1), values(1001, 1e-2), values(2001, 1e-4)
FROZEN = {"frozen.weight": counted(torch.Size([2, 5]), 5000).half()}
BUFFERS = {"norm.running_mean": counted(torch.Size([4]), 6000)}
SHARED = {"head.weight": "embed.weight"}


def flat(group, source, multiple):
    whole = torch.cat([source[n].flatten() for n in group])
    padding = -whole.numel() % multiple
    return torch.cat([whole, torch.zeros(padding)]), padding


def model_states(rank, frozen, step=7):
    return {
        "module": {**{n: t.half() for n, t in WEIGHTS.items()}, **BUFFERS}, "buffer_names": list(BUFFERS),
        "param_shapes": SHAPES, "shared_params": SHARED, "frozen_param_shapes": {n: t.shape for n, t in FROZEN.items()},
        "frozen_param_fragments": frozen, "ds_version": "0.14.0", "global_steps": step, "mp_world_size": 1,
        "ds_config": {"zero_optimization": {"stage": 2}},
    }


def save(folder, name, value):
    path = os.path.join(here, folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.save(value, path)


def stage2(folder, ranks):
    groups = [[flat(g, source, 2 * ranks) for g in SHAPES] for source in (WEIGHTS, FIRST, SECOND)]
    for rank in range(ranks):
        def part(source, group):
            whole, padding = groups[source][group]
            size = whole.numel() // ranks
            return whole[rank * size:(rank + 1) * size].clone(), padding if rank == ranks - 1 else 0
        save(folder, f"bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt", {
            "optimizer_state_dict": {
                "loss_scaler": LossScaler(), "zero_stage": ZeroStageEnum.gradients, "partition_count": [ranks] * len(SHAPES),
                "group_paddings": [part(0, g)[1] for g in range(len(SHAPES))],
                # The weights are saved without their padding, the moments with it.
                "single_partition_of_fp32_groups": [t[:t.numel() - p] for t, p in (part(0, g) for g in range(len(SHAPES)))],
                "base_optimizer_state": {
                    "state": {g: {"step": torch.tensor(7.0), "exp_avg": part(1, g)[0], "exp_avg_sq": part(2, g)[0]}
                              for g in range(len(SHAPES))},
                    "param_groups": [{"lr": 0.1, "params": [g]} for g in range(len(SHAPES))],
                },
                "ds_version": "0.14.0",
            },
            "ds_version": "0.14.0",
        })
    save(folder, "mp_rank_00_model_states.pt", model_states(0, FROZEN))


def stage3(folder, ranks):
    def fragment(tensor, rank):
        size = math.ceil(tensor.numel() / ranks)
        padded = torch.cat([tensor.flatten(), torch.zeros(size * ranks - tensor.numel(), dtype=tensor.dtype)])
        return padded[rank * size:(rank + 1) * size].clone()
    for rank in range(ranks):
        def groups(source):
            whole = torch.cat([fragment(source[n], rank) for g in SHAPES for n in g])
            # Sub-groups of whole parameters, not the groups of the model states.
            return [whole[:5].clone(), whole[5:8].clone(), whole[8:].clone()]
        save(folder, f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt", {
            "optimizer_state_dict": {
                "zero_stage": ZeroStageEnum.weights, "partition_count": ranks, "fp32_flat_groups": groups(WEIGHTS),
                "optimizer_state_dict": {
                    "state": {g: {"step": 7, "exp_avg": m, "exp_avg_sq": v}
                              for g, (m, v) in enumerate(zip(groups(FIRST), groups(SECOND)))},
                    "param_groups": [{"lr": 0.1, "params": [0, 1, 2]}],
                },
            },
            "ds_version": "0.14.0",
        })
        states = model_states(rank, {n: fragment(t, rank) for n, t in FROZEN.items()})
        states["module"] = {**{n: torch.empty(0).half() for n in WEIGHTS}, **BUFFERS}
        save(folder, f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt", states)


def universal(folder, bare):
    for name in WEIGHTS:
        for file, source in [("fp32", WEIGHTS), ("exp_avg", FIRST), ("exp_avg_sq", SECOND)]:
            value = source[name].flatten() if bare else {"cat_dim": 0, "param": source[name]}
            save(folder, f"zero/{name}/{file}.pt", value)
        save(folder, f"zero/{name}/step.pt", torch.tensor(7.0))
    save(folder, "zero/optimizer_state.pt", {"optimizer_state_dict": {"param_groups": [{"lr": 0.1}]}})
    if bare:
        for rank in range(2):
            half = {n: t.flatten()[rank * 5:rank * 5 + 5].clone() for n, t in FROZEN.items()}
            save(folder, f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt", model_states(rank, half))
    else:
        save(folder, "mp_rank_00_model_states.pt", model_states(0, FROZEN))


if __name__ == "__main__":
    for folder in ["zero2", "zero3", "universal"]:
        shutil.rmtree(os.path.join(here, folder), ignore_errors=True)
    stage2("zero2/global_step7", 2)
    stage3("zero3", 3)
    universal("universal/global_step7_universal", bare=False)
    universal("universal/flat", bare=True)
    for path, step in [("zero2/latest", "global_step7"), ("universal/latest_universal", "global_step7_universal")]:
        with open(os.path.join(here, path), "w", encoding="utf-8") as file:
            file.write(step)
    save(".", "deepspeed_expected.pt", {
        **WEIGHTS, **FROZEN, **BUFFERS, "head.weight": WEIGHTS["embed.weight"],
        **{f"{n}.exp_avg": t for n, t in FIRST.items()}, **{f"{n}.exp_avg_sq": t for n, t in SECOND.items()},
        "head.weight.exp_avg": FIRST["embed.weight"], "head.weight.exp_avg_sq": SECOND["embed.weight"],
    })

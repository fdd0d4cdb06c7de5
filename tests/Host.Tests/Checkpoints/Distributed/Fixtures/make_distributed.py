"""Writes the fixtures of PyTorch Distributed Checkpoint with PyTorch's own writer (README.md says which version).

Two processes on one machine, talking over gloo; expected.pt holds every tensor whole.
"""
import dataclasses
import os
import shutil
import sys
import tempfile

# PyTorch 1.13 on Python 3.11: its default values have to be hashable. Nothing that is written depends on it.
plain = dataclasses.dataclass


def dataclass(cls=None, **options):
    def decorate(c):
        return plain(c, **{"unsafe_hash": "__hash__" not in c.__dict__ and not options.get("frozen"), **options})
    return decorate if cls is None else decorate(cls)


dataclasses.dataclass = dataclass

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.distributed._shard import sharded_tensor
from torch.distributed._shard import checkpoint
from torch.distributed._shard.metadata import ShardMetadata

here = os.path.dirname(os.path.abspath(__file__))


def counted(*shape, start=0, dtype=torch.float32):
    return (torch.arange(torch.Size(shape).numel()) + start).to(dtype).reshape(shape)


WHOLE = {
    "model.rows.weight": (counted(5, 3, start=1), "rows"),
    "model.columns.weight": (counted(3, 6, start=100), "columns"),
    "model.grid.weight": (counted(4, 2, 6, start=200, dtype=torch.bfloat16), "grid"),
    "model.plain.bias": (counted(4, start=300), None),
    "model.scalar": (torch.tensor(7.5), None),
    "optim.state.rows.weight.exp_avg_sq": (counted(5, 3, start=400) * 1e-3, "rows"),
    "optim.state.columns.weight.exp_avg_sq": (counted(3, 6, start=500) * 1e-3, "columns"),
    "optim.state.rows.weight.step": (torch.tensor(3.0), None),
}

# Boxes of each rank: offsets and sizes.
LAYOUTS = {
    "rows": [[((0, 0), (3, 3))], [((3, 0), (2, 3))]],
    "columns": [[((0, 0), (3, 3))], [((0, 3), (3, 3))]],
    "grid": [[((0, 0, 0), (2, 2, 3)), ((2, 0, 0), (2, 2, 3))], [((0, 0, 3), (2, 2, 3)), ((2, 0, 3), (2, 2, 3))]],
}


def sharded(tensor, layout, rank):
    shards = []
    for offsets, sizes in LAYOUTS[layout][rank]:
        part = tensor[tuple(slice(o, o + s) for o, s in zip(offsets, sizes))].clone()
        shards.append(sharded_tensor.Shard(part, ShardMetadata(list(offsets), list(sizes), f"rank:{rank}/cpu")))
    return sharded_tensor.init_from_local_shards(shards, *tensor.shape)


def save(rank, store):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    state = {name: tensor if layout is None else sharded(tensor, layout, rank) for name, (tensor, layout) in WHOLE.items()}
    state["optim.param_groups"] = [{"lr": 0.1}]
    checkpoint.save_state_dict(state, checkpoint.FileSystemWriter(os.path.join(here, "dcp"), single_file_per_rank=True))
    dist.destroy_process_group()


if __name__ == "__main__":
    shutil.rmtree(os.path.join(here, "dcp"), ignore_errors=True)
    os.makedirs(os.path.join(here, "dcp"))
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(save, (os.path.join(folder, "store"),), nprocs=2)
    torch.save({name: tensor for name, (tensor, _) in WHOLE.items()}, os.path.join(here, "dcp_expected.pt"))
    shutil.rmtree(os.path.join(here, "dcp_one"), ignore_errors=True)
    checkpoint.save_state_dict(
        {name: tensor for name, (tensor, _) in WHOLE.items() if name.startswith("model.")},
        checkpoint.FileSystemWriter(os.path.join(here, "dcp_one")), no_dist=True)
    import make_distributed_2

    make_distributed_2.write(here)

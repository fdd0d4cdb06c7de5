"""Writes the fixtures of this folder with PyTorch (see README.md for the version they were made with)."""
import os
from collections import OrderedDict

import torch

here = os.path.dirname(os.path.abspath(__file__))


def save(name, value, **options):
    torch.save(value, os.path.join(here, name), **options)


def counted(*shape, dtype=torch.float32, start=0):
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count) + start).to(dtype).reshape(shape)


# Every dtype that this version stores; values count from 1.
dtypes = OrderedDict(
    (str(t).split(".")[1], counted(2, 3, dtype=t, start=1))
    for t in [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
              torch.int8, torch.uint8, torch.complex64])
dtypes["bool"] = torch.tensor([True, False, True])
dtypes["scalar"] = torch.tensor(7.0)
dtypes["empty"] = torch.zeros(0, 3)
save("dtypes.pt", dtypes)
save("dtypes_legacy.pt", dtypes, _use_new_zipfile_serialization=False)
save("dtypes_protocol4.pt", dtypes, pickle_protocol=4)

# Views: every kind of stride; the values of each are in views_contiguous.pt.
base = counted(4, 6)
views = OrderedDict(
    whole=base,
    transposed=base.t(),
    rows=base[1:3],
    columns=base[:, 2:5],
    stepped=base[::2, ::3],
    expanded_rows=base[0].expand(3, 6),
    expanded_columns=base[:, :1].expand(4, 5),
    expanded_scalar=torch.tensor([2.5]).expand(3, 4),
    permuted=counted(2, 3, 4).permute(2, 0, 1),
    inner_expanded=counted(2, 1, 3).expand(2, 4, 3),
    overlapping=torch.as_strided(base, (5, 4), (2, 1), 3),
)
save("views.pt", views)
save("views_legacy.pt", views, _use_new_zipfile_serialization=False)
save("views_contiguous.pt", OrderedDict((k, v.clone(memory_format=torch.contiguous_format)) for k, v in views.items()))

# Training checkpoints.
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2, bias=False))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()
save("training.pt", {
    "epoch": 3, "loss": torch.tensor(0.5), "model": torch.nn.DataParallel(model).state_dict(),
    "optimizer": optimizer.state_dict(), "rng_state": torch.get_rng_state()[:16].clone(),
})
save("optimizer.pt", optimizer.state_dict())
named = optimizer.state_dict()
named["param_groups"][0]["param_names"] = [n for n, _ in model.named_parameters()]
save("optimizer_named.pt", named)
by_name = {"state": {n: optimizer.state[p] for n, p in model.named_parameters()}, "param_groups": [{"params": ["0"]}]}
save("optimizer_by_name.pt", by_name)
save("parameters.pt", OrderedDict((n, p) for n, p in model.named_parameters()))
save("two_models.pt", {"generator": model[0].state_dict(), "discriminator": model[2].state_dict()})

# Two groups, as training with weight decay for matrices alone makes them; and two groups that only names could tell apart.
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Embedding(7, 3), torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))


def trained(model, groups, inputs):
    optimizer = torch.optim.AdamW([{"params": g, "weight_decay": d} for g, d in groups], lr=0.1)
    model(inputs).square().sum().backward()
    optimizer.step()
    return optimizer


decayed = [p for p in model.parameters() if p.dim() > 1]
rest = [p for p in model.parameters() if p.dim() == 1]
optimizer = trained(model, [(decayed, 0.1), (rest, 0.0)], torch.tensor([1, 2, 5]))
save("groups.pt", {"model": model.state_dict(), "optimizer": optimizer.state_dict()})
save("with_average.pt", {"model": model.state_dict(), "ema": OrderedDict((n, 2 * p) for n, p in model.state_dict().items())})
save("groups_model.bin", model.state_dict())
save("groups_optimizer.pt", optimizer.state_dict())
save("groups_by_name.pt", {
    "state": {n: optimizer.state[p] for n, p in model.named_parameters()}, "param_groups": [{"params": []}]})
twins = torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False))
optimizer = trained(twins, [([twins[1].weight], 0.1), ([twins[0].weight], 0.0)], torch.randn(2, 3))
save("groups_of_twins.pt", {"model": twins.state_dict(), "optimizer": optimizer.state_dict()})

"""Adapters as PEFT writes them, and what PEFT itself makes of them: `PYTHONHASHSEED=0 python make.py OUT`.

Needs peft, transformers, torch, safetensors, and diffusers for one of them. Everything is drawn from fixed seeds: a second
run with the same versions gives the same files. A variant that the installed PEFT does not have is left out.
"""
import json
import os
import shutil
import sys
import warnings

import torch
import torch.nn as nn
import peft
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

warnings.filterwarnings("ignore")
OUT = sys.argv[1]
QV = ["q_proj", "v_proj"]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c3 = nn.Conv2d(2, 3, 3)
        self.c1 = nn.Conv2d(3, 4, 1)
        self.d1 = nn.Conv1d(4, 5, 3)
        self.fc = nn.Linear(5, 6)
        self.aux_fc = nn.Linear(6, 4)
        self.emb = nn.Embedding(7, 5)


def llama(tied):
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=20, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=16, attention_bias=True, tie_word_embeddings=tied, initializer_range=0.3))


BASES = {
    "llama": lambda: llama(False),
    "tied": lambda: llama(True),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(
        vocab_size=20, n_positions=6, n_embd=8, n_layer=1, n_head=2, initializer_range=0.3)),
    "conv": Convolutions,
}


def base(name):
    torch.manual_seed(1)
    model = BASES[name]().eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
    return model


def randomise(model, seed, scale=0.3):
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "magnitude" in name:
                p.mul_(1 + 0.2 * torch.randn_like(p))
            elif "lora_" in name:
                p.copy_(torch.randn_like(p) * scale)
            elif p.requires_grad:
                p.add_(torch.randn_like(p) * 0.1)


def save(model, name, folder, **how):
    model.peft_config["default"].base_model_name_or_path = "tiny/" + name
    model.save_pretrained(folder, **how)
    if os.path.exists(folder + "/README.md"):
        os.remove(folder + "/README.md")


def adapter(name, folder, seed=5, bin=False, random=True, **settings):
    torch.manual_seed(7)
    model = get_peft_model(base(name), LoraConfig(**settings))
    if random:
        randomise(model, seed)
    save(model, name, folder, safe_serialization=not bin)


def state(model):
    return {k: v.detach().clone().contiguous() for k, v in model.state_dict().items()}


def stored(name):
    """What the base's file holds: a tied head is not in it."""
    tensors = state(base(name))
    if name in ("tied", "gpt2"):
        tensors.pop("lm_head.weight")
    return tensors


READ = {
    "llama-rslora-patterns": dict(r=4, lora_alpha=10, target_modules=LINEAR, use_rslora=True,
                                  rank_pattern={"q_proj": 2, "^model.layers.0.mlp.up_proj": 3, r"layers\.1\.mlp\.(gate|up)_proj": 5},
                                  alpha_pattern={"v_proj": 3, "model.layers.1.self_attn.q_proj": 7}),
    "llama-regex-target": dict(r=3, target_modules=r".*layers\.1\.(self_attn\.(q|o)_proj|mlp\.down_proj)"),
    "llama-layers-exclude": dict(r=3, target_modules=["q_proj", "up_proj"], exclude_modules=["layers.1.self_attn.q_proj"],
                                 layers_to_transform=[1], layers_pattern="layers"),
    "llama-dora": dict(r=3, lora_alpha=5, target_modules=LINEAR, use_dora=True, use_rslora=True, rank_pattern={"k_proj": 2},
                       modules_to_save=["norm"]),
    "llama-bias-all": dict(r=3, target_modules=QV, bias="all"),
    "llama-embedding-head": dict(r=3, lora_alpha=5, target_modules=["q_proj", "embed_tokens", "lm_head"]),
    "llama-whole": dict(r=3, target_modules=QV, modules_to_save=["lm_head", "embed_tokens"]),
    "llama-bin": dict(r=3, lora_alpha=5, target_modules=QV, rank_pattern={"q_proj": 2}, bin=True),
    "llama-mica": dict(r=3, target_modules=QV, init_lora_weights="mica"),
    "tied-whole-embedding": dict(r=3, target_modules=QV, modules_to_save=["embed_tokens"]),
    "tied-both": dict(r=3, target_modules=QV, modules_to_save=["embed_tokens"], ensure_weight_tying=True),
    "gpt2-conv1d": dict(r=3, lora_alpha=5, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True),
    "gpt2-flag-wrong": dict(r=3, lora_alpha=5, target_modules=["c_attn", "c_proj", "wpe"], fan_in_fan_out=False, bias="all"),
    "gpt2-dora": dict(r=3, lora_alpha=5, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True, use_dora=True),
    "conv-all": dict(r=2, lora_alpha=5, target_modules=["c3", "c1", "d1", "fc", "emb"]),
    "conv-dora": dict(r=2, lora_alpha=5, target_modules=["c3", "c1", "d1", "fc"], use_dora=True),
    "conv-whole-bias": dict(r=2, target_modules=["c3"], modules_to_save=["fc"], bias="all"),
}
if hasattr(peft, "VeloraConfig"):
    READ["llama-velora"] = dict(r=3, target_modules=QV, velora_config=peft.VeloraConfig(num_groups=4))
if hasattr(peft, "MontecloraConfig"):
    READ["llama-monteclora"] = dict(r=3, target_modules=QV, monteclora_config=peft.MontecloraConfig())


def read():
    for name in BASES:
        folder = f"{OUT}/bases/{name}"
        os.makedirs(folder)
        save_file(stored(name), folder + "/model.safetensors", {"format": "pt"})
        config = getattr(base(name), "config", None)
        settings = {} if config is None else {
            "architectures": [type(base(name)).__name__], "model_type": config.model_type, "vocab_size": config.vocab_size,
            "tie_word_embeddings": config.tie_word_embeddings}
        with open(folder + "/config.json", "w") as file:
            json.dump(settings, file)
    for case, settings in READ.items():
        name = case.split("-")[0]
        folder = f"{OUT}/read/{case}"
        adapter(name, folder, **settings)
        whole = PeftModel.from_pretrained(base(name), folder, autocast_adapter_dtype=False)
        merged = state(whole.merge_and_unload())
        before = stored(name)
        if name in ("tied", "gpt2") and torch.equal(merged["lm_head.weight"], before[
                "model.embed_tokens.weight" if name == "tied" else "transformer.wte.weight"]) and "whole" not in case:
            merged.pop("lm_head.weight")
        save_file({k: v for k, v in merged.items() if k not in before or not torch.equal(v, before[k])},
                  folder + "/expected.safetensors", {"format": "pt"})


# What PEFT combines, where it takes a scale once: `svd` and what is made with it multiply by it twice, so that these have scale 1.
COMBINE = {
    "cat": dict(a=dict(r=4, lora_alpha=10, rank_pattern={"q_proj": 2}), b=dict(r=3, lora_alpha=2, alpha_pattern={"v_proj": 4}),
                weights=[0.6, -1.5], combination_type="cat"),
    "linear": dict(a=dict(r=3, lora_alpha=10), b=dict(r=3, lora_alpha=2), weights=[0.6, -1.5], combination_type="linear"),
    "svd": dict(a=dict(r=3, lora_alpha=3), b=dict(r=2, lora_alpha=2), weights=[0.6, 0.4], combination_type="svd", svd_rank=3),
    "ties_svd": dict(a=dict(r=3, lora_alpha=3), b=dict(r=2, lora_alpha=2), weights=[1.0, 1.0], combination_type="ties_svd",
                     svd_rank=4, density=0.5),
    "magnitude_prune_svd": dict(a=dict(r=3, lora_alpha=3), b=dict(r=2, lora_alpha=2), weights=[0.6, 0.4],
                                combination_type="magnitude_prune_svd", svd_rank=4, density=0.5),
}


def combine():
    for case, what in COMBINE.items():
        folder = f"{OUT}/combine/{case}"
        for i, part in enumerate("ab"):
            adapter("llama", f"{folder}/{part}", seed=11 + i, target_modules=["q_proj", "v_proj", "down_proj"], **what[part])
        model = PeftModel.from_pretrained(base("llama"), folder + "/a", adapter_name="a", autocast_adapter_dtype=False)
        model.load_adapter(folder + "/b", "b", autocast_adapter_dtype=False)
        model.add_weighted_adapter(["a", "b"], what["weights"], "m", **{k: v for k, v in what.items() if k not in ("a", "b", "weights")})
        changes = {}
        for name, module in model.base_model.model.named_modules():
            if hasattr(module, "get_delta_weight") and "m" in module.lora_A:
                changes[name + ".weight"] = module.get_delta_weight("m").detach().clone().contiguous()
        save_file(changes, folder + "/expected.safetensors", {"format": "pt"})


def refused():
    lora = {
        "pissa": dict(init_lora_weights="pissa"),
        "olora": dict(init_lora_weights="olora"),
        "lora_bias": dict(lora_bias=True),
        "trainable_tokens": dict(trainable_token_indices=[1, 5]),
        "target_parameters": dict(target_parameters=["mlp.gate_proj.weight"]),
        "layer_replication": dict(layer_replication=[[0, 2], [1, 2]]),
        "alora": dict(alora_invocation_tokens=[3, 4], task_type="CAUSAL_LM"),
    }
    if hasattr(peft, "BdLoraConfig"):
        lora["bdlora"] = dict(use_bdlora=peft.BdLoraConfig(target_modules_bd_a=["q_proj"], target_modules_bd_b=["v_proj"], nblocks=2))
    if hasattr(peft, "KasaConfig"):
        lora["kasa"] = dict(kasa_config=peft.KasaConfig())
    for kind, settings in lora.items():
        adapter("llama", f"{OUT}/refused/{kind}", random=False, r=2, target_modules=QV, **settings)
    other = {
        "adalora": peft.AdaLoraConfig(init_r=3, target_r=2, total_step=100, target_modules=QV),
        "loha": peft.LoHaConfig(r=2, target_modules=QV),
        "lokr": peft.LoKrConfig(r=2, target_modules=QV),
        "ia3": peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
        "vera": peft.VeraConfig(r=2, target_modules=["q_proj"]),
        "prompt": peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2),
    }
    for kind, config in other.items():
        save(get_peft_model(base("llama"), config), "llama", f"{OUT}/refused/{kind}")
    torch.manual_seed(3)
    grouped = get_peft_model(nn.ModuleDict({"g": nn.Conv2d(4, 4, 3, groups=2)}), LoraConfig(r=2, target_modules=["g"]))
    save(grouped, "grouped", f"{OUT}/refused/groups")


def diffusers():
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin

    torch.manual_seed(2)
    unet = nn.ModuleDict({"down": nn.ModuleList([nn.ModuleDict({"to_q": nn.Linear(6, 5), "to_k": nn.Linear(6, 4)})]),
                          "conv": nn.Conv2d(2, 3, 3)})
    encoder = nn.ModuleDict({"q_proj": nn.Linear(6, 6)})

    def whole():
        return {f"{part}.{k}": v for part, model in (("unet", unet), ("text_encoder", encoder)) for k, v in state(model).items()}

    folder = f"{OUT}/diffusers"
    os.makedirs(folder + "/base")
    save_file(whole(), folder + "/base/model.safetensors", {"format": "pt"})
    with open(folder + "/base/config.json", "w") as file:
        json.dump({}, file)
    parts = {
        "unet": get_peft_model(unet, LoraConfig(r=3, lora_alpha=10, target_modules=["to_q", "to_k", "conv"],
                                                rank_pattern={"to_q": 2}, alpha_pattern={"down.0.to_k": 2})),
        "text_encoder": get_peft_model(encoder, LoraConfig(r=2, lora_alpha=9, target_modules=["q_proj"], use_rslora=True)),
    }
    layers, settings = {}, {}
    for part, model in parts.items():
        randomise(model, 4)
        layers[part] = {k.removeprefix("base_model.model."): v for k, v in get_peft_model_state_dict(model).items()}
        settings[part] = {k: v for k, v in model.peft_config["default"].to_dict().items()}
        settings[part]["target_modules"] = sorted(settings[part]["target_modules"])
    StableDiffusionLoraLoaderMixin.save_lora_weights(
        folder + "/adapter", unet_lora_layers=layers["unet"], text_encoder_lora_layers=layers["text_encoder"],
        unet_lora_adapter_metadata=settings["unet"], text_encoder_lora_adapter_metadata=settings["text_encoder"])
    save_file({f"{part}.{k}": v for part, model in parts.items() for k, v in state(model.merge_and_unload()).items()},
              folder + "/expected.safetensors", {"format": "pt"})


for name in ("bases", "read", "combine", "refused", "diffusers"):
    shutil.rmtree(f"{OUT}/{name}", ignore_errors=True)
read()
combine()
refused()
diffusers()
print(f"peft {peft.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")

"""Loading a base for training, wherever it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mlxlab.core.errors import MissingExtra, UsageError
from mlxlab.core.spec import Spec
from mlxlab.plugins.policies.local.config import LocalConfig
from mlxlab.plugins.policies.local.folder import Checkpoint, find_checkpoint
from mlxlab.plugins.policies.local.loading import Model
from mlxlab.plugins.policies.local.loading import load as load_model
from mlxlab.plugins.policies.local.prompts import Prompter
from mlxlab.plugins.training.models.loaded import Loaded
from mlxlab.plugins.training.models.tiny import is_tiny, make_tiny, tiny_config
from mlxlab.plugins.training.quiet import quiet

_PACKAGES = ("torch", "transformers", "safetensors", "tokenizers", "jinja2")
_PADS = ("<|endoftext|>", "<|finetune_right_pad_id|>", "<pad>", "[PAD]", "<unk>")
"""Tokens that models without a pad token of their own have to spare, the best first."""
_LICENCE = re.compile(r"\A---\n(?:.*\n)*?license:[ ]*(\S+)")


@dataclass(frozen=True)
class Lora:
    """A low-rank adapter on every linear layer but the output's."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.0


def load_base(
    spec: str,
    *,
    texts: Iterable[str] = (),
    seed: int = 0,
    dtype: str = "auto",
    device: str = "auto",
    lora: Lora | None = None,
    checkpointing: bool = False,
    template: str | None = None,
) -> Loaded:
    """Load a base, or make a tiny one, and make it ready to be trained.

    An adapter's folder with `lora` goes on training that very adapter; without, the adapter is
    merged and all weights are trained.

    Args:
        spec: `tiny?...`, `local:FOLDER`, `local:ADAPTER?base=FOLDER`, or a plain folder or file.
        texts: what a tiny model's tokenizer is learned from.
        seed: of a tiny model's weights, and of a new adapter's.
        dtype: auto, float32 or bfloat16. auto: float32 on a CPU; on a GPU bfloat16 for weights that
            stay as they are, and float32, computing in bfloat16, for those that are trained: steps
            of 1e-6 are lost to the rounding of bfloat16.
        device: auto, cpu, cuda or cuda:N.
        lora: the adapter to train; None trains all weights.
        checkpointing: whether to compute activations twice instead of keeping them.
        template: a chat template that stands in for the base's own.

    Raises:
        UsageError: there is no such base, or it has no chat template.
        PolicyError: transformers cannot load it.
    """
    missing = [name for name in (*_PACKAGES, *(["peft"] if lora else [])) if not find_spec(name)]
    if missing:
        raise MissingExtra("Training a model", "train")
    device = _own(device)
    with quiet():
        if is_tiny(spec):
            loaded = _made(spec, texts, seed, device, template)
        else:
            loaded = _found(spec, dtype, device, lora is not None, template)
        if lora is not None and not loaded.adapted:
            loaded = replace(loaded, model=_adapted(loaded.model, lora, seed), adapted=True)
        elif lora is None:
            loaded.model.requires_grad_(True)
        _spoken(loaded)
        loaded.model.config.use_cache = False
        if checkpointing:
            loaded.model.gradient_checkpointing_enable({"use_reentrant": False})
            loaded.model.enable_input_require_grads()
    loaded.model.train()
    return loaded


def gguf_of(spec: str, template: str | None) -> str:
    """The name of the GGUF file that a spec's weights stand in; empty where they stand in none.

    Raises:
        UsageError: there is no such base, or it has no chat template and none is given.
    """
    return _checkpoint(*_place(spec), template).gguf or ""


def _own(device: str) -> str:
    """Of several processes that train together each takes the GPU of its number."""
    import torch

    number = os.environ.get("LOCAL_RANK", "")
    if device != "auto" or not number.isdecimal() or not torch.cuda.is_available():
        return device
    return f"cuda:{number}"


def _made(spec: str, texts: Iterable[str], seed: int, device: str, template: str | None) -> Loaded:
    import torch

    config = tiny_config(spec)
    model, tokenizer = make_tiny(config, texts, seed)
    if template is not None:
        tokenizer.chat_template = template
    there = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(there if device == "auto" else device)
    ends = (tokenizer.eos_token_id,)
    return Loaded(model, tokenizer, spec, ends, config.context, adapted=False, bf16=False)


def _found(spec: str, dtype: str, device: str, adapt: bool, template: str | None) -> Loaded:
    path, base = _place(spec)
    checkpoint = _checkpoint(path, base, template)
    adapter = checkpoint.adapter if adapt else None
    whole = replace(checkpoint, adapter=None) if adapter is not None else checkpoint
    kind = _dtype(dtype, device, adapt)
    given = {"path": path, "base": base, "merge": True, "device": device, "dtype": kind}
    config = LocalConfig.model_validate(given)
    found: Model = load_model(whole, config)
    model = found.net if adapter is None else _going_on(found.net, adapter, len(found.tokenizer))
    on_gpu = found.device.type == "cuda"
    return Loaded(
        model,
        found.tokenizer,
        spec,
        tuple(sorted(found.ends)),
        found.context,
        adapted=adapter is not None,
        bf16=on_gpu and dtype != "float32" and _has_bf16(),
        fingerprint=found.fingerprint,
        licence=_licence(checkpoint.weights),
    )


def _place(spec: str) -> tuple[str, str | None]:
    """The path that a spec names, and the folder of an adapter's base."""
    if not spec.startswith("local:"):
        return str(Path(spec).expanduser().resolve()), None
    read = Spec.parse(spec)
    if unknown := [name for name in read.options if name != "base"]:
        raise UsageError(
            f"The base '{spec}' has the option '{unknown[0]}', which training does not take.",
            "Give it to the trainer (device, dtype), or leave it out.",
        )
    config = LocalConfig(path=read.argument or "", base=read.options.get("base"))
    return config.path, config.base


def _checkpoint(path: str, base: str | None, template: str | None) -> Checkpoint:
    try:
        return find_checkpoint(path, base, template)
    except UsageError as error:
        if "chat template" not in error.message:
            raise
        raise UsageError(
            error.message,
            "Name a file with one, as a Jinja template: the trainer's option chat_template=FILE.",
        ) from error


def _dtype(wanted: str, device: str, adapt: bool) -> str:
    import torch

    if wanted != "auto":
        return wanted
    on_gpu = device != "cpu" and torch.cuda.is_available()
    return "bfloat16" if on_gpu and adapt and _has_bf16() else "float32"


def _has_bf16() -> bool:
    import torch

    return bool(torch.cuda.is_bf16_supported())


def _adapted(model: Any, lora: Lora, seed: int) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def _going_on(model: Any, adapter: Path, words: int) -> Any:
    from peft import PeftModel

    if words > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(words)
    return PeftModel.from_pretrained(model, str(adapter), is_trainable=True, local_files_only=True)


def _spoken(loaded: Loaded) -> None:
    """Make sure that answers end where the template's turns do, and that batches can be padded."""
    tokenizer, model = loaded.tokenizer, loaded.model
    turn = sorted(Prompter(tokenizer, None).turn_end())
    if turn:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(turn[0])
    if tokenizer.eos_token_id is None:
        raise UsageError(
            f"The base '{loaded.base}' has no token that ends an answer.",
            "Take a chat template whose turns end with a special token: chat_template=FILE.",
        )
    if tokenizer.pad_token_id is None:
        known = tokenizer.get_vocab()
        tokenizer.pad_token = next((pad for pad in _PADS if pad in known), tokenizer.eos_token)
    ends = sorted({*loaded.ends, tokenizer.eos_token_id})
    loaded.ends = tuple(ends)
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = ends if len(ends) > 1 else ends[0]
    model.generation_config.pad_token_id = tokenizer.pad_token_id


def _licence(folder: Path) -> str:
    card = folder / "README.md"
    found = _LICENCE.match(card.read_text(errors="replace")) if card.is_file() else None
    return found[1] if found else ""

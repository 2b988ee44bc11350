"""The options about weights that all trainers share, and loading by them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.removal import remove_tree
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import TrainJob
from mlxlab.plugins.training.models.base import Lora, gguf_of, load_base
from mlxlab.plugins.training.models.loaded import Loaded
from mlxlab.plugins.training.models.tiny import is_tiny
from mlxlab.plugins.training.quiet import quiet

BASE = "base"
"""The folder below a training's own that keeps a base that was made from nothing."""


class Weights(BaseModel):
    """What every trainer lets its user say about the model; trainers' configs inherit it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lora: bool = Field(False, description="Train a LoRA adapter instead of all weights.")
    lora_r: int = Field(16, gt=0, description="Rank of the adapter.")
    lora_alpha: int = Field(32, gt=0, description="The adapter counts alpha / rank times.")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="Dropout before the adapter.")
    save: Literal["merged", "adapter"] = Field(
        "merged", description="What a LoRA leaves: whole weights, or the adapter alone."
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="auto: float32 on a CPU; on a GPU weights that are trained are float32 and "
        "computed with in bfloat16, others bfloat16.",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto (a GPU where there is one), cpu, cuda, or cuda:N.",
    )
    gradient_checkpointing: bool = Field(
        False, description="Compute activations twice instead of keeping them: less memory."
    )
    chat_template: str | None = Field(
        None, description="A file with the chat template of a base that has none."
    )
    threads: int | None = Field(None, gt=0, description="CPU threads of torch. Default: torch's.")

    @property
    def adapter(self) -> Lora | None:
        """The adapter to train, None for all weights."""
        return Lora(self.lora_r, self.lora_alpha, self.lora_dropout) if self.lora else None


def load(job: TrainJob, weights: Weights) -> Loaded:
    """Load a job's base as its trainer's options say.

    A base that is made from nothing is kept in `OUT/base`: a training that goes on finds the same
    one, whatever runs came in between, and it can be asked beside what was made of it.

    Raises:
        UsageError, PolicyError: there is no such base, or it cannot be trained, or what is to be
            left of it could not be used.
    """
    # Threads that spin while they wait take the cores from the sandboxes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    if weights.threads is not None:
        torch.set_num_threads(weights.threads)
    template = _template(weights.chat_template)
    given: dict[str, Any] = {
        "seed": job.seed,
        "dtype": weights.dtype,
        "device": weights.device,
        "lora": weights.adapter,
        "checkpointing": weights.gradient_checkpointing,
        "template": template,
    }
    if not is_tiny(job.base.spec):
        _refuse_useless(job.base.spec, weights, template)
        return load_base(job.base.spec, **given)
    folder = _kept(job, template)
    loaded = load_base(str(Spec(name="local", argument=str(folder))), **given)
    return replace(loaded, base=job.base.spec)


def _refuse_useless(base: str, weights: Weights, template: str | None) -> None:
    """Before hours of training: an adapter is loaded on a folder of weights, and on no GGUF."""
    adapter_alone = weights.lora and weights.save == "adapter"
    if adapter_alone and (file := gguf_of(base, template)):
        raise UsageError(
            f"No adapter is loaded on the GGUF file '{file}': save=adapter would leave none that "
            "can be asked or trained further.",
            "Write save=merged, which leaves whole weights.",
        )


def _kept(job: TrainJob, template: str | None) -> Path:
    """The folder of a job's own base, made where it is missing."""
    folder = job.out / BASE
    if folder.is_dir():
        return folder
    new = folder.with_name(f".{BASE}.{os.getpid()}.new")
    remove_tree(new)
    made = load_base(
        job.base.spec, texts=_texts(job), seed=job.seed, device="cpu", template=template
    )
    with quiet():
        made.model.save_pretrained(new)
        made.tokenizer.save_pretrained(new)
    try:
        new.replace(folder)
    except OSError:  # another process of the same training was faster, with the same model
        remove_tree(new)
        if not folder.is_dir():
            raise
    return folder


def _texts(job: TrainJob) -> list[str]:
    """All prompts and answers of a corpus, in their order."""
    texts: list[str] = []
    for example in job.corpus.examples:
        try:
            texts += [message.content for message in example.messages()]
        except MlxError:  # whoever trains on it counts it
            continue
        texts.append(example.text)
    if not texts:
        raise UsageError(
            "There are no recorded steps to learn a tokenizer from.",
            "Record some with: mlx run --scaffold recipe --policy random",
        )
    return texts


def _template(file: str | None) -> str | None:
    if file is None:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"The chat template '{file}' cannot be read: {error}.") from error

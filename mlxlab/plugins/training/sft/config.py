"""The options of the trainer `sft`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from mlxlab.plugins.training.models import Weights

PRESETS: dict[str, dict[str, Any]] = {
    "ml-agent": {
        "lora": False,
        "epochs": 2.0,
        "lr": 2e-5,
        "batch": 64,
        "micro_batch": 1,
        "schedule": "cosine",
        "warmup": 0.0,
        "weight_decay": 0.0,
        "max_length": 15_000,
        "gradient_checkpointing": True,
        "validation": 0.0,
    }
}
"""ML-Agent (arXiv 2505.23723, appendix C.1, and the script of its repository): all weights of
Qwen2.5-7B, in bfloat16. The paper cuts longer examples at 15,000 tokens; here they are left out,
since a cut answer has no end to learn. Gradient checkpointing, which it does not state, is what
its fine-tuning tool does by default. It chooses no checkpoint by validation."""


class SFTConfig(Weights):
    """Options of the trainer `sft`; a preset fills in what is not said."""

    preset: Literal["ml-agent"] | None = Field(
        None, description="The settings of a published training: ml-agent."
    )
    epochs: float = Field(2.0, gt=0, description="Passes over the examples.")
    steps: int | None = Field(None, gt=0, description="Optimizer steps, instead of epochs.")
    lr: float | None = Field(
        None,
        gt=0,
        description="Learning rate at its highest. Default: 3e-3 for a model made from nothing, "
        "2e-4 for LoRA, else 2e-5.",
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="How the learning rate falls."
    )
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which it rises.")
    weight_decay: float = Field(0.0, ge=0, description="Of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradients are clipped to this norm.")
    batch: int = Field(32, gt=0, description="Examples of one optimizer step, all GPUs together.")
    micro_batch: int | None = Field(
        None,
        gt=0,
        description="Examples of one pass on one device. Default: what fits 16384 tokens.",
    )
    max_length: int | None = Field(
        None,
        gt=0,
        description="Longest example in tokens; longer ones are left out. Default: the context.",
    )
    valid: bool = Field(True, description="Only actions that were carried out without an error.")
    improving: bool = Field(False, description="Only actions that improved on their state's score.")
    best: float | None = Field(
        None, gt=0, le=1, description="Of each task only this share of the steps, by score."
    )
    unique: bool = Field(True, description="Equal actions from equal states once.")
    ideas: Literal["keep", "strip"] = Field(
        "keep", description="strip: take the ideas that exploration wove in out of the prompts."
    )
    reasoning: Literal["drop", "keep"] = Field(
        "drop", description="keep: learn the recorded thinking too, within its tags."
    )
    validation: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the tasks whose steps only choose the checkpoint; 0: the last one.",
    )
    eval_steps: int | None = Field(
        None, gt=0, description="Optimizer steps between validations. Default: a tenth of all."
    )
    check: int = Field(
        0, ge=0, description="Prompts that are answered at each validation: figure valid_text."
    )
    save_s: float | None = Field(
        None,
        gt=0,
        description="Seconds of training between checkpoints, at least; more where saving takes "
        "more than a ninth of that. Default: each optimizer step is saved, or 5 s where a "
        "checkpoint is larger than 1 GB. A kill loses what came after the last one.",
    )
    report_to: str = Field("none", description="Trackers that TRL reports to, such as wandb.")

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        preset = PRESETS.get(str(given.get("preset"))) if isinstance(given, dict) else None
        return given if preset is None else {**preset, **given}

"""The options of the trainer `grpo`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from mlxlab.plugins.training.choosing import How
from mlxlab.plugins.training.models import Weights
from mlxlab.plugins.training.revisiting import Revisits

PRESETS: dict[str, dict[str, Any]] = {
    "ml-agent": {
        "steps": 39,
        "states_per_step": 32,
        "generations": 8,
        "lr": 1e-6,
        "beta": 0.001,
        "max_completion_tokens": 1024,
        "gradient_checkpointing": True,
    }
}
"""What ML-Agent (arXiv 2505.23723 v1, appendix C.1) states: 39 updates, a batch of 256, 1e-6, KL
coefficient 0.001. Its PPO draws an unstated number of actions a state; a group needs several, so
the batch is 32 states of 8 actions. The length limit is unstated too: 1024 tokens hold a script."""


class GRPOConfig(Weights, Revisits):
    """Options of the trainer `grpo`; a preset fills in what is not said."""

    argument: ClassVar[str] = "preset"

    preset: Literal["ml-agent"] | None = Field(
        None, description="ml-agent: the paper's settings, as far as GRPO shares them with its PPO."
    )
    steps: int = Field(120, gt=0, description="Optimizer steps.")
    max_s: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Seconds of training, without loading: the step in which they pass is the "
        "last, though `steps` are more. Of a killed training those up to its last checkpoint "
        "count. `schedule` goes by `steps` all the same.",
    )
    states_per_step: int = Field(16, gt=0, description="Recorded states that each step draws.")
    generations: int = Field(8, ge=2, description="Actions sampled at each state: a group.")
    choose: How = Field("uniform", description="How states are drawn: uniform, task or variance.")
    ideas: Literal["keep", "strip"] = Field(
        "keep", description="Whether prompts keep the ideas that exploration wove into them."
    )
    temperature: float = Field(1.0, gt=0, description="Of sampling, and of the probabilities.")
    max_completion_tokens: int = Field(256, gt=0, description="Longest action, in tokens.")
    lr: float | None = Field(
        None,
        gt=0,
        description="Learning rate. Default: 3e-4 below 10 million weights, 1e-5 for an adapter, "
        "1e-6 for all weights of a larger model.",
    )
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="How the learning rate goes on after the warm-up."
    )
    warmup: int = Field(0, ge=0, description="Steps until the learning rate is reached.")
    weight_decay: float = Field(0.0, ge=0, description="Of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0, description="Longer gradients are shortened to it.")
    beta: float = Field(0.0, ge=0, description="Weight of the KL term against the start policy.")
    entropy_bonus: float = Field(
        0.0, ge=0, description="Weight of the mean entropy of a token, which keeps actions diverse."
    )
    epsilon: float = Field(0.2, gt=0, description="Ratios are clipped to 1 - epsilon ...")
    epsilon_high: float | None = Field(None, gt=0, description="... 1 + this. Default: epsilon.")
    loss_type: Literal["grpo", "bnpo", "dr_grpo", "dapo"] = Field(
        "grpo",
        description="How tokens are averaged: within each action, then over actions (grpo); over "
        "all tokens of a step (dapo) or of each backward pass (bnpo); by the length limit, free of "
        "the length's bias (dr_grpo).",
    )
    scale_rewards: Literal["group", "batch", "none"] = Field(
        "group", description="What advantages are divided by: a standard deviation, or nothing."
    )
    num_iterations: int = Field(1, gt=0, description="Optimizer steps on the same actions.")
    mask_truncated: bool = Field(False, description="Leave actions at the length limit out.")
    micro_batch: int | None = Field(
        None, gt=0, description="Actions of one backward pass on a device. Default: up to 32."
    )
    kl_rows: int = Field(
        16,
        ge=0,
        description="Actions of a step on which the KL to the start policy is measured where beta "
        "is 0; 0: not at all, and no second copy of the trained weights.",
    )
    save_steps: int | None = Field(
        None,
        gt=0,
        description="Optimizer steps between checkpoints. Default: 1, or 10 where a checkpoint is "
        "larger than 1 GB. A kill loses what came after the last one. Rounded up to the end of "
        "num_iterations, whose actions no checkpoint holds.",
    )
    use_vllm: bool = Field(False, description="Sample with vLLM (not tried by the authors).")
    vllm_mode: Literal["colocate", "server"] = Field(
        "colocate", description="vLLM on the training's GPUs, or `trl vllm-serve` elsewhere."
    )
    vllm_memory: float = Field(0.3, gt=0, lt=1, description="vLLM's share of a GPU's memory.")
    vllm_tensor_parallel: int = Field(1, gt=0, description="GPUs that share one vLLM.")
    vllm_url: str | None = Field(None, description="Address of the vLLM server.")
    report_to: str = Field("none", description="Trackers, by commas: tensorboard, wandb, ...")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, said: Any) -> Any:
        if not isinstance(said, Mapping) or not said.get("preset"):
            return said
        return {**PRESETS.get(str(said["preset"]), {}), **said}

    @property
    def actions(self) -> int:
        """Actions that one optimizer step samples, over all processes."""
        return self.states_per_step * self.generations

    def rate(self, trained: int) -> float:
        """The learning rate, given how many weights are trained."""
        if self.lr is not None:
            return self.lr
        if self.lora:
            return 1e-5
        return 3e-4 if trained < 10_000_000 else 1e-6

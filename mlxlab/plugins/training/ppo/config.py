"""The options of the trainer `ppo`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from mlxlab.plugins.training.choosing import How
from mlxlab.plugins.training.learning import Learning
from mlxlab.plugins.training.losses import Estimator
from mlxlab.plugins.training.revisiting import Revisits

PRESETS: dict[str, dict[str, Any]] = {
    "ml-agent": {
        "steps": 39,
        "states_per_step": 256,
        "generations": 1,
        "lr": 1e-6,
        "critic_lr": 1e-5,
        "beta": 0.001,
        "max_completion_tokens": 1024,
        "gradient_checkpointing": True,
    }
}
"""What ML-Agent states (arXiv 2505.23723 v1, appendix C.1): 39 steps of 256 states, 1e-6 for the
policy, 1e-5 for the critic, KL coefficient 0.001. One action a state, since the 10,000 states make
39 batches of 256 and verl's example draws one. The length limit is unstated: 1024 tokens hold a
script. Whatever else is unstated is the default of an option of `PPOConfig`."""


class PPOConfig(Learning, Revisits):
    """Options of the trainer `ppo`; a preset fills in what is not said.

    ML-Agent names PPO with a critic, four numbers, and verl. What it leaves unsaid is here as in
    verl's example, so that the preset is what its authors most likely ran: clip range 0.2, the
    critic's 0.5, one epoch of four minibatches, temperature 1, KL in the reward by the k1 estimate,
    gamma and lambda 1, whitened advantages, rewards as they are, states drawn uniformly.
    """

    argument: ClassVar[str] = "preset"

    preset: Literal["ml-agent"] | None = Field(
        None, description="ml-agent: what the paper states of its step-wise PPO."
    )
    steps: int = Field(120, gt=0, description="Steps: each samples actions and learns from them.")
    states_per_step: int = Field(16, gt=0, description="Recorded states that each step draws.")
    generations: int = Field(
        8,
        gt=0,
        description="Actions sampled at each state. PPO needs one only; several share the reading "
        "of a prompt, which is most of the work.",
    )
    choose: How = Field("uniform", description="How states are drawn: uniform, task or variance.")
    ideas: Literal["keep", "strip"] = Field(
        "keep", description="Whether prompts keep the ideas that exploration wove into them."
    )
    critic: Literal["separate", "shared"] = Field(
        "separate",
        description="separate: a second copy of the model with a scalar head, as in verl; shared: "
        "a head on the policy's own layers, which learn from both losses.",
    )
    critic_lr: float | None = Field(
        None, gt=0, description="Default: ten times the policy's, as in the paper; at most 1e-3."
    )
    value_weight: float = Field(
        1.0, gt=0, description="Weight of the critic's loss; matters where layers are shared."
    )
    minibatches: int = Field(
        4, gt=0, description="Updates in one pass over a step's actions (verl's 1024 by 256)."
    )
    epochs: int = Field(1, gt=0, description="Passes over a step's actions.")
    epsilon: float = Field(0.2, gt=0, description="Ratios are clipped to 1 - epsilon ...")
    epsilon_high: float | None = Field(None, gt=0, description="... 1 + this. Default: epsilon.")
    value_clip: float | None = Field(
        0.5, gt=0, description="How far a value may move in a step before its error stops counting."
    )
    gamma: float = Field(1.0, gt=0, le=1, description="What a later reward counts, a token.")
    lam: float = Field(1.0, ge=0, le=1, description="Lambda of GAE: 1 is the whole return.")
    whiten: bool = Field(
        True, description="Move and scale advantages to mean 0 and variance 1 over a step's tokens."
    )
    beta: float = Field(0.001, ge=0, description="Weight of the KL against the start policy.")
    kl_place: Literal["reward", "loss"] = Field(
        "reward", description="Whether that KL is taken from each token's reward, or is a loss."
    )
    kl_estimator: Estimator | None = Field(
        None, description="k1, k2 or k3. Default: k1 in the reward, k3 as a loss."
    )
    entropy_bonus: float = Field(0.0, ge=0, description="Weight of the entropy in the loss.")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, said: Any) -> Any:
        if not isinstance(said, Mapping) or not said.get("preset"):
            return said
        return {**PRESETS.get(str(said["preset"]), {}), **said}

    @property
    def estimator(self) -> Estimator:
        """How KL is estimated at a token.

        In the reward an estimate is a number like any other, and k1 adds up to the whole
        completion's; as a loss k1 would have no gradient in the mean, so k3 takes its place.
        """
        return self.kl_estimator or ("k1" if self.kl_place == "reward" else "k3")

    def critic_rate(self, lr: float) -> float:
        """The critic's learning rate, given the policy's."""
        return self.critic_lr or min(10 * lr, 1e-3)

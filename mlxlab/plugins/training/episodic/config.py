"""The options of the trainer `episodic-grpo`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlxlab.plugins.training.learning import Learning

Worth = Literal["sum", "mean", "gain"]


class EpisodicConfig(Learning):
    """Options of the trainer `episodic-grpo`.

    ML-Agent (arXiv 2505.23723) compares its step-wise training with one on whole episodes and says
    of that one only that it starts from the same model. Everything here is our choice, as near to
    the step-wise trainers as whole episodes allow.
    """

    steps: int = Field(40, gt=0, description="Steps: each plays episodes and learns from them.")
    starts_per_step: int = Field(4, gt=0, description="Tasks that each step plays.")
    episodes: int = Field(8, ge=2, description="Episodes of each task: a group.")
    turns: int = Field(5, gt=0, description="Actions of an episode, at most.")
    worth: Worth = Field(
        "sum",
        description="An episode's reward: the sum of its actions' rewards, as the paper's equation "
        "3 takes equation 1 apart; their mean; or gain, the part of the gap from m_init to m_best "
        "that its best public score closes.",
    )
    scale_rewards: bool = Field(
        True, description="Divide advantages by the standard deviation of their group."
    )
    minibatches: int = Field(1, gt=0, description="Updates in one pass over a step's episodes.")
    epochs: int = Field(1, gt=0, description="Passes over a step's episodes.")
    epsilon: float = Field(0.2, gt=0, description="Ratios are clipped to 1 - epsilon ...")
    epsilon_high: float | None = Field(None, gt=0, description="... 1 + this. Default: epsilon.")
    beta: float = Field(0.0, ge=0, description="Weight of the KL term against the start policy.")

"""Step-wise reinforcement learning with group-relative advantages: the trainer `grpo`."""

from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.trainer import GRPO

__all__ = ["GRPO", "GRPOConfig"]

"""Reinforcement learning on whole episodes, ML-Agent's comparator: the trainer `episodic-grpo`."""

from mlxlab.plugins.training.episodic.config import EpisodicConfig
from mlxlab.plugins.training.episodic.trainer import EpisodicGRPO

__all__ = ["EpisodicConfig", "EpisodicGRPO"]

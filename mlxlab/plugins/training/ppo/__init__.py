"""Step-wise reinforcement learning with a critic, as in ML-Agent: the trainer `ppo`."""

from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.ppo.trainer import PPO

__all__ = ["PPO", "PPOConfig"]

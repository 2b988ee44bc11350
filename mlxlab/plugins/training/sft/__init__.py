"""The trainer `sft`: supervised fine-tuning on recorded steps, with TRL."""

from mlxlab.plugins.training.sft.config import SFTConfig
from mlxlab.plugins.training.sft.trainer import SFT

__all__ = ["SFT", "SFTConfig"]

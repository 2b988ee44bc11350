"""The trainers that come with mlxlab keep what every trainer owes, on a tiny model."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mlxlab.core.registry import Registry
from mlxlab.core.trainer import Trainer
from mlxlab.testing import TrainerConformance

pytestmark = pytest.mark.train

ACTING = "steps=2&states_per_step=2&generations=4&max_completion_tokens=3&lr=0.005&threads=1"


class Own(TrainerConformance):
    spec: ClassVar[str]
    leaves = ("OMP_WAIT_POLICY", "TORCHINDUCTOR_CACHE_DIR", "tqdm_monitor")
    """What torch and tqdm leave behind once they are imported."""

    @classmethod
    def make(cls) -> Trainer:
        made: Trainer = Registry.installed().create("trainer", cls.spec).instance
        return made


class TestSFT(Own):
    spec = "sft?steps=2&batch=4&validation=0&threads=1"


class TestGRPO(Own):
    spec = f"grpo?{ACTING}&micro_batch=8&kl_rows=0"


class TestPPO(Own):
    spec = f"ppo?{ACTING}&minibatches=1"


class TestEpisodicGRPO(Own):
    spec = (
        "episodic-grpo?steps=2&starts_per_step=2&episodes=2&turns=2&max_completion_tokens=3"
        "&lr=0.01&threads=1"
    )

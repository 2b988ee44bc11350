"""The trainers that come with mlxlab keep what every trainer owes, on a tiny model."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import Trainer
from mlxlab.testing import TrainerConformance

pytestmark = pytest.mark.train


class Own(TrainerConformance):
    name: ClassVar[str]
    checkpoint = True
    leaves = ("OMP_WAIT_POLICY", "TORCHINDUCTOR_CACHE_DIR", "tqdm_monitor")
    """What torch and tqdm leave behind once they are imported."""

    @classmethod
    def make(cls) -> Trainer:
        """As `mlx plugins check` makes it."""
        registry = Registry.installed()
        target: Any = registry.load(registry.find("trainer", Spec(name=cls.name)))
        spec = Spec(name=cls.name, options=target.conformance["options"])
        made: Trainer = registry.create("trainer", spec).instance
        return made


class TestSFT(Own):
    name = "sft"


class TestGRPO(Own):
    name = "grpo"


class TestPPO(Own):
    name = "ppo"


class TestEpisodicGRPO(Own):
    name = "episodic-grpo"

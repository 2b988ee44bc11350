"""`max_s`: a training that ends by the clock, in each trainer that takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.records import ComponentRef
from mlxlab.core.trainer import CHECKPOINTS, Trainer, TrainProgress
from mlxlab.plugins.training.episodic import EpisodicConfig, EpisodicGRPO
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from mlxlab.plugins.training.ppo import PPO, PPOConfig
from mlxlab.plugins.training.samples import read_samples
from tests.training.bandit import job, state
from tests.training.test_episodic import Ring

pytestmark = pytest.mark.train

AIDE = ComponentRef(kind="scaffold", name="aide", spec="aide")
STATES = [
    replace(each, decision=each.decision.model_copy(update={"scaffold": AIDE}))
    for each in (state("a", said="aaaaaaa"), state("b", said="bbbbbbbbbb"))
]
SMALL: dict[str, Any] = {"max_completion_tokens": 3, "lr": 5e-3, "threads": 1}
STATEWISE = SMALL | {"states_per_step": 2, "generations": 8}
EPISODES = SMALL | {"starts_per_step": 1, "episodes": 4, "turns": 2}
HOUR, NOW = 3600.0, 1e-6


def made(name: str, **options: Any) -> Trainer:
    if name == "grpo":
        return GRPO(GRPOConfig(**STATEWISE, micro_batch=8, **options))
    if name == "ppo":
        return PPO(PPOConfig(**STATEWISE, **options))
    return EpisodicGRPO(EpisodicConfig(**EPISODES, **options))


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring()
    yield made
    made.close()


def trained(out: Path, ring: Ring, name: str, **options: Any) -> list[TrainProgress]:
    told: list[TrainProgress] = []
    made(name, **options).train(job(out, STATES, ring, tell=told.append))
    return told


@pytest.mark.parametrize("name", ["grpo", "ppo", "episodic-grpo"])
def test_the_step_in_which_the_time_passes_is_the_last(
    tmp_path: Path, ring: Ring, name: str
) -> None:
    told = trained(tmp_path, ring, name, steps=50, save_steps=50, max_s=NOW)
    assert [each.step for each in told] == [1]
    assert {sample.step for sample in read_samples(tmp_path)} == {1}
    assert "| Optimizer steps | 1 |" in (tmp_path / "final" / "README.md").read_text()
    again = trained(tmp_path, ring, name, steps=50, save_steps=50, max_s=NOW)
    assert [each.step for each in again] == [1]  # told once more, and no other is taken
    assert {sample.step for sample in read_samples(tmp_path)} == {1}


@pytest.mark.parametrize("name", ["grpo", "ppo", "episodic-grpo"])
def test_what_came_before_counts_and_more_time_goes_on(
    tmp_path: Path, ring: Ring, name: str
) -> None:
    trained(tmp_path, ring, name, steps=3, max_s=NOW)
    (kept,) = (tmp_path / CHECKPOINTS).glob("*/*.json" if name != "grpo" else "*/whole.json")
    mark = json.loads(kept.read_text())
    assert 0 < mark["seconds"] < HOUR
    for seconds, steps in ((HOUR + 1, [1]), (0.0, [1, 2, 3])):
        kept.write_text(json.dumps({**mark, "seconds": seconds}))
        told = trained(tmp_path, ring, name, steps=3, max_s=HOUR)
        assert [each.step for each in told] == steps
        assert all(each.total is None for each in told)
    assert {sample.step for sample in read_samples(tmp_path)} == {1, 2, 3}


def test_actions_that_are_used_twice_are_so_before_the_end(tmp_path: Path, ring: Ring) -> None:
    told = trained(tmp_path, ring, "grpo", steps=50, num_iterations=2, max_s=NOW)
    assert [each.step for each in told] == [1, 2]

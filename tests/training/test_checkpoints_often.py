"""How often trainings are saved: each step, unless checkpoints are large."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlxlab.core.trainer import TrainProgress
from mlxlab.plugins.training import saving
from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.settings import save_steps
from mlxlab.plugins.training.ppo import PPO, PPOConfig
from mlxlab.plugins.training.saving import steps_between
from mlxlab.plugins.training.sft import SFT, SFTConfig
from tests.training import toy
from tests.training.bandit import Bandit, job, state

pytestmark = pytest.mark.train


def test_large_checkpoints_are_written_every_ten_steps_unless_it_is_said_otherwise() -> None:
    """Three numbers of four bytes for each weight: 1 GB are 83.3 million weights."""
    assert [steps_between(None, n) for n in (1_000_000, 83_000_000, 84_000_000)] == [1, 1, 10]
    assert steps_between(3, 1_000_000) == steps_between(3, 7_000_000_000) == 3
    config = GRPOConfig(num_iterations=4)
    assert [save_steps(config, n) for n in (1_000_000, 84_000_000)] == [4, 12]


def saved(out: Path) -> list[int]:
    return sorted(int(path.name.rpartition("-")[2]) for path in (out / "checkpoints").glob("*-*"))


def test_ppo_counts_policy_and_critic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is small for a policy alone is large with its critic."""
    from safetensors.torch import load_file

    def told(out: Path) -> list[tuple[int, list[int]]]:
        bandit, heard = Bandit(), list[tuple[int, list[int]]]()
        given = job(
            out, [state("a")], bandit, tell=lambda each: heard.append((each.step, saved(out)))
        )
        PPO(config).train(given)
        bandit.close()
        return heard

    config = PPOConfig(
        steps=11, states_per_step=1, generations=2, max_completion_tokens=1, threads=1
    )
    assert told(tmp_path / "small")[:3] == [(1, [1]), (2, [1, 2]), (3, [2, 3])]
    weights = load_file(tmp_path / "small" / "final" / "model.safetensors").values()
    policy = sum(weight.numel() for weight in weights)
    monkeypatch.setattr(saving, "_LARGE", 12 * 1.5 * policy)
    large = [(step, [10]) for step in range(1, 11)]
    assert told(tmp_path / "large") == [*large, (11, [10, 11])]


@pytest.mark.parametrize("large", [False, True])
def test_sft_saves_each_step_or_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    told: list[tuple[int, list[int]]] = []

    def tell(progress: TrainProgress) -> None:
        told.append((progress.step, saved(tmp_path)))

    if large:
        monkeypatch.setattr(saving, "_LARGE", 1.0)
    SFT(SFTConfig(steps=3, batch=4, validation=0, threads=1)).train(
        toy.job(tmp_path, toy.corpus(), tell=tell)
    )
    assert [step for step, _ in told] == [1, 2, 3]
    assert told[0][1] == ([3] if large else [1])

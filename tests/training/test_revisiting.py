"""States that the policy comes to by itself, on the tiny model and a bandit played in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mlxlab.core.errors import UsageError
from mlxlab.core.records import ComponentRef
from mlxlab.core.trainer import TrainJob, TrainProgress
from mlxlab.core.training.arena import Arena
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from mlxlab.plugins.training.ppo import PPO, PPOConfig
from mlxlab.plugins.training.revisiting import FOLDER, OwnStates, Revisits
from mlxlab.plugins.training.samples import read_samples
from tests.training.bandit import BASE, REWARD, corpus, state
from tests.training.test_episodic import Ring

pytestmark = pytest.mark.train

AIDE = ComponentRef(kind="scaffold", name="aide", spec="aide")
STATES = [
    replace(each, decision=each.decision.model_copy(update={"scaffold": AIDE}))
    for each in (state("a", said="aaaaaaa"), state("b", said="bbbbbbbbbb"))
]
OWN: dict[str, Any] = {"own": 0.5, "own_every": 2, "own_episodes": 2, "own_turns": 3}
SMALL: dict[str, Any] = {
    **OWN, "steps": 5, "states_per_step": 2, "generations": 4, "max_completion_tokens": 3,
    "lr": 5e-3, "threads": 1,
}  # fmt: skip


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring()
    yield made
    made.close()


def given(out: Path, ring: Ring, tell: Callable[[TrainProgress], None]) -> TrainJob:
    return TrainJob(
        corpus=corpus(STATES), base=BASE, out=out, arena=cast(Arena, ring), reward=REWARD, tell=tell
    )


@pytest.mark.parametrize(
    "trainer",
    [GRPO(GRPOConfig(**SMALL, micro_batch=4)), PPO(PPOConfig(**SMALL, minibatches=1))],
    ids=["grpo", "ppo"],
)
def test_half_of_the_states_are_own_ones_also_after_a_kill(
    tmp_path: Path, ring: Ring, trainer: Any
) -> None:
    from safetensors.torch import load_file

    told: list[TrainProgress] = []
    trainer.train(given(tmp_path / "whole", ring, told.append))
    drawn = {step: set[str]() for step in range(1, 6)}
    for sample in read_samples(tmp_path / "whole"):
        drawn[sample.step].add(sample.state)
    recorded = {each.id for each in STATES}
    assert [len(each & recorded) for each in drawn.values()] == [1] * 5
    assert [len(each - recorded) for each in drawn.values()] == [1] * 5
    # 8 actions a step, and 2 episodes of 3 actions before the first, the third and the fifth.
    assert [each.figures["transitions"] for each in told] == [14, 22, 36, 44, 58]
    assert ["play_s" in each.figures for each in told] == [True, False, True, False, True]

    def cut(progress: TrainProgress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(given(tmp_path / "cut", ring, cut))
    trainer.train(given(tmp_path / "cut", ring, lambda _: None))
    whole, again = (read_samples(tmp_path / name) for name in ("whole", "cut"))
    assert [(s.state, s.text) for s in whole] == [(s.state, s.text) for s in again]
    one, other = (
        load_file(tmp_path / name / "final" / "model.safetensors") for name in ("whole", "cut")
    )
    assert all(bool((one[name] == other[name]).all()) for name in one)
    assert len(list((tmp_path / "whole" / FOLDER).iterdir())) == 2


def test_own_states_need_one_process_and_a_task(tmp_path: Path, ring: Ring) -> None:
    job = given(tmp_path, ring, lambda _: None)
    prompts: Any = None
    with pytest.raises(UsageError, match="one process"):
        OwnStates(job, Revisits(own=0.5), prompts, processes=2)
    nowhere = replace(job, corpus=corpus([replace(each, own=False) for each in STATES]))
    with pytest.raises(UsageError, match="which task an episode could be played on"):
        OwnStates(nowhere, Revisits(own=0.5), prompts)
    assert OwnStates(nowhere, Revisits(), prompts).share(16) == 0

"""The trainer `episodic-grpo`: whole episodes on a tiny model, over a task done in the head."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mlxlab.core.actions import RunCode
from mlxlab.core.errors import RecordError
from mlxlab.core.records import CLEAN, ComponentRef, Observation
from mlxlab.core.trainer import TrainJob, TrainProgress
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.episodes import Episode, Start, Turn
from mlxlab.plugins.training import checkpoints
from mlxlab.plugins.training.episodic import EpisodicConfig, EpisodicGRPO
from mlxlab.plugins.training.episodic.worth import told, worth
from mlxlab.plugins.training.playing import places
from mlxlab.plugins.training.scoring import Scoring
from tests.recorded import task
from tests.training.bandit import BASE, REWARD, Bandit, corpus, job, pulled, state

STATES = [state("a", said="aaaaaaa"), state("b", said="bbbbbbbbbb")]


class Ring(Bandit):
    """A bandit that can be played in turns by the scaffold `aide`, which reads no letters."""

    def info(self, spec: str) -> Any:
        return task(spec)

    def packages(self, where: Any) -> Any:
        from mlxlab.core.sandbox import Packages

        return Packages(python="3", versions={}, cores=1, memory_bytes=0)


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring()
    yield made
    made.close()


def episode(values: list[float | None], problem: str = "", start: str = "a") -> Episode:
    from datetime import UTC, datetime

    from mlxlab.core.records import Completion, Step

    where = state(start)
    turns = []
    for number, value in enumerate(values):
        taken = pulled(value, "x")
        step = Step(
            run_id="", step=number, parent=None, decision=where.decision, state=CLEAN,
            next_state=None, action=RunCode(code="x"),
            observation=Observation(status="ok", public_score=value),
            started_at=datetime.now(UTC), ended_at=datetime.now(UTC),
        )  # fmt: skip
        turns.append(Turn(where, Completion(text="x"), taken, step))
    return Episode(Start(start, "aide", 0), tuple(turns), problem)


def test_what_an_episode_is_worth(tmp_path: Path, ring: Ring) -> None:
    scoring = Scoring(job(tmp_path, STATES, ring))
    three = episode([0.5, None, 0.75])
    assert worth(three, "sum", scoring) == 1.25
    assert worth(three, "mean", scoring) == 0.625
    assert worth(episode([None]), "sum", scoring) is None
    assert worth(episode([0.5], "it is down"), "sum", scoring) is None
    assert worth(three, "gain", scoring) is None  # the task states no m_best
    figures = told([1.0, 1.0, None, 0.5, None, None], 2)
    assert figures["episode_reward"] == pytest.approx(2.5 / 3)
    assert (figures["groups"], figures["flat_groups"], figures["empty_groups"]) == (3, 2, 1)


def test_the_gain_is_the_part_of_the_gap_that_was_closed(tmp_path: Path, ring: Ring) -> None:
    scoring = Scoring(job(tmp_path, STATES, ring))
    found = episode([0.6, 0.8, 0.7])
    info = task("a", m_init=0.5, m_best=0.9)
    turns = [replace(turn, state=replace(turn.state, info=info)) for turn in found.turns]
    assert worth(replace(found, turns=tuple(turns)), "gain", scoring) == pytest.approx(0.75)


def test_episodes_are_played_where_states_were_recorded(tmp_path: Path, ring: Ring) -> None:
    stranger = replace(state("c"), own=False)
    given = job(tmp_path, [*STATES, STATES[0], stranger], ring)
    assert places(given) == [("a", "bandit"), ("b", "bandit")]


OPTIONS = EpisodicConfig(
    steps=3, starts_per_step=2, episodes=3, turns=2, max_completion_tokens=4, lr=1e-2, threads=1
)


def trained(out: Path, ring: Ring, stop: int = 0) -> list[TrainProgress]:
    """What is told of a training, which is cut off once it has told of the step `stop`."""
    ref = ComponentRef(kind="scaffold", name="aide", spec="aide")
    states = [
        replace(each, decision=each.decision.model_copy(update={"scaffold": ref}))
        for each in STATES
    ]
    heard: list[TrainProgress] = []

    def tell(progress: TrainProgress) -> None:
        heard.append(progress)
        if progress.step == stop:
            raise KeyboardInterrupt

    given = TrainJob(
        corpus=corpus(states), base=BASE, out=out, arena=cast(Arena, ring), reward=REWARD,
        tell=tell,
    )  # fmt: skip
    EpisodicGRPO(OPTIONS).train(given)
    return heard


def same(one: Path, other: Path) -> bool:
    from safetensors.torch import load_file

    first, second = (load_file(out / "final" / "model.safetensors") for out in (one, other))
    return all(bool((first[name] == second[name]).all()) for name in first)


@pytest.mark.train
def test_episodes_are_learned_from_and_counted(tmp_path: Path, ring: Ring) -> None:
    """And a training that was cut off ends with the same weights."""
    heard = trained(tmp_path / "whole", ring)
    figures = [each.figures for each in heard]
    assert [each["transitions"] for each in figures] == [12, 24, 36]
    assert [each["actions"] for each in figures] == [12] * 3
    assert [each["episodes"] for each in figures] == [6] * 3
    for name in ("entropy", "kl", "loss", "episode_reward", "generate_s", "wait_s", "step_s"):
        assert name in figures[-1]
    assert figures[-1]["kl"] > 0
    for each in figures:  # from the first action on, so without the sampling before it
        assert each["execute_s"] < each["generate_s"] + each["wait_s"]
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", ring, stop=2)
    trained(tmp_path / "cut", ring)
    assert same(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.train
def test_a_full_disk_keeps_what_was_saved(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = checkpoints._write

    def full(folder: Path, *rest: Any) -> None:
        if "00000002" in folder.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, *rest)

    monkeypatch.setattr(checkpoints, "_write", full)
    with pytest.raises(RecordError, match=r"step-00000002 .* No space left on device"):
        trained(tmp_path / "parts", ring)
    monkeypatch.setattr(checkpoints, "_write", write)
    assert [each.step for each in trained(tmp_path / "parts", ring)] == [1, 2, 3]
    trained(tmp_path / "whole", ring)
    assert same(tmp_path / "whole", tmp_path / "parts")

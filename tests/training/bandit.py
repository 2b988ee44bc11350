"""A bandit with a known optimum, behind the face of an arena: trainers cannot tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from mlxlab.core.actions import RunCode
from mlxlab.core.records import (
    Completion,
    ComponentRef,
    Decision,
    Message,
    Observation,
    RewardValue,
)
from mlxlab.core.trainer import PolicyRef, TrainJob
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.examples import Corpus, Example
from mlxlab.core.training.states import State, Taken
from tests.recorded import task

REWARD = "ml-agent"
BASE = PolicyRef(spec="tiny?hidden=32&layers=1&vocab=300")
Answer = Callable[[State, str], Taken]


def state(name: str, *, said: str | None = None, score: float | None = None) -> State:
    """A state of the task `name`, whose prompt is its name."""
    decision = Decision(
        step=0,
        operator="draft",
        score=score,
        scaffold=ComponentRef(kind="scaffold", name="bandit", spec="bandit"),
        task=name,
        data_hash="",
        sandbox="local",
        feedback="public",
        seed=0,
    )
    words = f"pull {name}" if said is None else said
    messages = (Message(role="user", content=words),)
    return State(id=f"{name}/0", task=name, info=task(name), decision=decision, said=messages)


def corpus(states: Sequence[State], answer: str = "a") -> Corpus:
    """Examples at these states, each of which was answered with a letter."""
    return Corpus(
        tuple(
            Example(
                state=each,
                prompt=None,
                text=answer,
                reasoning=None,
                action=None,
                status="ok",
                score=None,
                improved=False,
                rewards={},
            )
            for each in states
        )
    )


def pulled(value: float | None, text: str, **more: Any) -> Taken:
    """What came of an action that got a reward."""
    return Taken(
        action=RunCode(code=text),
        observation=Observation(status="ok", public_score=value),
        rewards={REWARD: RewardValue(value=value, reason="a bandit pays" if value else "nothing")},
        seconds=0.001,
        **more,
    )


def likes_own_letter(where: State, text: str) -> Taken:
    """The state's own first letter pays 1, every other lower-case letter 0.3, the rest nothing."""
    first = text[:1]
    value = 1.0 if first == where.task[0] else 0.3 if first.islower() else 0.0
    return pulled(value, text)


class Bandit:
    """Answers actions as an arena does: futures of Taken, in threads of its own."""

    def __init__(self, answer: Answer = likes_own_letter) -> None:
        self._answer = answer
        self._pool = ThreadPoolExecutor(2)
        self.submitted: list[tuple[str, str]] = []

    def submit(self, where: State, completion: Completion) -> Future[Taken]:
        self.submitted.append((where.id, completion.text))
        return self._pool.submit(self._answer, where, completion.text)

    def close(self) -> None:
        self._pool.shutdown()


def job(out: Path, states: Sequence[State], bandit: Bandit, **more: Any) -> TrainJob:
    """A job on a tiny model made from nothing."""
    return TrainJob(
        corpus=corpus(states), base=BASE, out=out, arena=cast(Arena, bandit), reward=REWARD, **more
    )

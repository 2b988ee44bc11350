"""Recorded steps that were never recorded, and an arena that carries nothing out.

Enough for a trainer to learn from; no torch, no sandbox, no thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from mlxlab.core.actions import RunCode
from mlxlab.core.records import (
    Completion,
    ComponentRef,
    Decision,
    Message,
    Observation,
    RewardValue,
)
from mlxlab.core.sandbox import Packages
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo
from mlxlab.core.training.examples import Corpus, Example
from mlxlab.core.training.states import State, Taken

REWARD = "ml-agent"
TASKS = ("plums", "pears", "limes")
WORDS = ("knn", "tree", "forest", "linear")
SCAFFOLD = "aide"
"""Who decided: a trainer of whole episodes asks it again."""


def task(name: str) -> TaskInfo:
    """A task that is known by its name alone."""
    return TaskInfo(
        id=name,
        title=name,
        description=f"Tell the weight of {name}.",
        metric=MetricInfo(name="accuracy", direction="maximize"),
        submission=SubmissionContract(id_column="id", columns=("y",), rows=1),
        target=("y",),
        files=(),
        train_rows=1,
        public_rows=1,
        private_rows=1,
        data_hash="0" * 64,
        baseline=0.0,
        reference=1.0,
        m_init=0.0,
    )


def example(name: str, number: int) -> Example:
    """One step of a task: the word that is asked for stands in the answer."""
    word = WORDS[(number + len(name)) % len(WORDS)]
    decision = Decision(
        step=number,
        operator="draft",
        scaffold=ComponentRef(kind="scaffold", name=SCAFFOLD, spec=SCAFFOLD),
        task=name,
        data_hash="0" * 64,
        sandbox="local",
        feedback="public",
        seed=0,
    )
    said = (Message(role="user", content=f"{name} {number}: take {word}"),)
    state = State(f"{name}/{number}", name, task(name), decision, said=said)
    text = f'{{"model":"{word}"}}'
    return Example(
        state=state,
        prompt=None,
        text=text,
        reasoning=None,
        action=RunCode(code=f"{name} {number}"),
        status="ok",
        score=0.5,
        improved=True,
        rewards={REWARD: 0.5},
    )


def toy_corpus(each: int = 4) -> Corpus:
    """Some steps of each of three tasks."""
    return Corpus(tuple(example(name, number) for name in TASKS for number in range(each)))


class ToyArena:
    """Answers actions at once, as an arena does: what an action is worth depends on its text.

    Args:
        fails: why an action at a state has no outcome; the empty text where it has one.
    """

    def __init__(self, fails: Callable[[State], str] = lambda state: "") -> None:
        self._fails = fails
        self.submitted: list[tuple[str, str]] = []

    def submit(self, state: State, completion: Completion) -> Future[Taken]:
        """What came of an action, at once."""
        self.submitted.append((state.id, completion.text))
        answer: Future[Taken] = Future()
        answer.set_result(self._taken(state, completion.text))
        return answer

    def take(self, states: list[State], completions: list[Completion]) -> list[Taken]:
        """As `submit`, for several."""
        return [self.submit(*pair).result() for pair in zip(states, completions, strict=True)]

    def info(self, name: str) -> TaskInfo:
        """A task by its spec."""
        return task(name)

    def packages(self, state: State) -> Packages:
        """Nothing is installed, since nothing runs."""
        return Packages(python="3", versions={}, cores=1, memory_bytes=0)

    def _taken(self, state: State, text: str) -> Taken:
        if why := self._fails(state):
            return Taken(action=RunCode(code=text), observation=None, failed=why)
        value = hashlib.sha256(text.encode()).digest()[0] / 255
        return Taken(
            action=RunCode(code=text),
            observation=Observation(status="ok", public_score=value),
            rewards={REWARD: RewardValue(value=value, reason="by its text")},
            seconds=0.001,
            key=text,
        )


class NoArena:
    """Notes whatever a trainer does with an arena that it said it does not need."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.touched.append(name)
        raise AttributeError(f"a trainer without needs_arena asked its arena for {name}")

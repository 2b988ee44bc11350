"""Whole episodes without a run folder: trees grown side by side, for comparators and reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Step
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State, Taken

Answer = Callable[[Sequence[PolicyRequest]], Awaitable[Sequence[Completion]]]
"""Answers the requests of one round, of all episodes together."""


@dataclass(frozen=True)
class Start:
    """One episode that is to be played."""

    task: str
    scaffold: str
    seed: int


@dataclass(frozen=True)
class Turn:
    """One step of an episode: its state with the prompt, the answer, and what came of it."""

    state: State
    completion: Completion
    taken: Taken
    step: Step


@dataclass(frozen=True)
class Episode:
    """A played episode."""

    start: Start
    turns: tuple[Turn, ...]
    problem: str = ""

    def best(self, steps: int | None = None) -> Turn | None:
        """The turn with the best public score among the first `steps`; the earliest of equals."""
        raise NotImplementedError


async def play(
    starts: Sequence[Start], answer: Answer, arena: Arena, *, steps: int
) -> list[Episode]:
    """Play episodes of `steps` steps side by side, a round of all of them at a time."""
    raise NotImplementedError

"""Every listed action of a task, carried out: the exact ceiling, and what chance would give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlxlab.api.evaluating.singles import Drawn, carried_out
from mlxlab.core.records import Completion, Decision
from mlxlab.core.scaffold import Listing, Scaffold
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State

CHUNK = 256
"""Actions that are submitted at one time: a whole grid on many states is not held at once."""


@dataclass(frozen=True)
class Grid:
    """What every listed action of a task came to, in the order of the list.

    Args:
        texts: the actions, as the scaffold writes them.
        public, private: the scores that they left, None where there is none.
    """

    task: str
    info: TaskInfo
    texts: tuple[str, ...]
    public: tuple[float | None, ...]
    private: tuple[float | None, ...]

    @property
    def ceiling(self) -> float | None:
        """The best private score of all: what nobody can know beforehand."""
        return self._best(self.private)[1]

    @property
    def best_by_public(self) -> tuple[float | None, float | None]:
        """The best public score, and the private score of the action that has it."""
        index, score = self._best(self.public)
        return score, self.private[index] if index is not None else None

    def of(self, text: str) -> tuple[float | None, float | None]:
        """Public and private score of one action; None where this task does not list it."""
        if text not in self.texts:
            return None, None
        index = self.texts.index(text)
        return self.public[index], self.private[index]

    def _best(self, scores: Sequence[float | None]) -> tuple[int | None, float | None]:
        best: tuple[int | None, float | None] = None, None
        for index, score in enumerate(scores):
            if score is not None and (best[1] is None or self.info.metric.better(score, best[1])):
                best = index, score
        return best


async def grid(root: State, scaffold: Scaffold, arena: Arena) -> Grid:
    """Carry out every listed action from a task's first decision."""
    texts = listed(root, scaffold)
    drawn = [each for _, each in await every_action(root, texts, arena)]
    return Grid(
        task=root.task,
        info=root.info,
        texts=texts,
        public=tuple(each.taken.score for each in drawn),
        private=tuple(
            None if each.taken.failed else arena.private_score(each.taken) for each in drawn
        ),
    )


def listed(state: State, scaffold: Scaffold) -> tuple[str, ...]:
    """The actions that a search may choose from at a state, as texts; none if it lists none."""
    return _texts(state.decision, scaffold)


def _texts(decision: Decision, scaffold: Scaffold) -> tuple[str, ...]:
    if not isinstance(scaffold, Listing):
        return ()
    return tuple(scaffold.render(decision, action) for action in scaffold.actions(decision))


async def every_action(state: State, texts: Sequence[str], arena: Arena) -> list[tuple[str, Drawn]]:
    """Take each of the actions from one state."""
    found: list[tuple[str, Drawn]] = []
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        said = [Completion(text=text) for text in part]
        drawn = await carried_out([state] * len(part), said, arena)
        found += zip(part, drawn, strict=True)
    return found


class Kinds:
    """The types of tasks, for constants: tasks are of one type that list the same actions."""

    def __init__(self, scaffold: Scaffold) -> None:
        self._scaffold = scaffold
        self._known: dict[str, str] = {}

    def of(self, decision: Decision) -> str:
        """The type of a decision's task."""
        if decision.task not in self._known:
            texts = "\n".join(_texts(decision, self._scaffold))
            self._known[decision.task] = hashlib.sha256(texts.encode()).hexdigest()[:8]
        return self._known[decision.task]


def constants(
    values: Mapping[str, Mapping[str, float]], kinds: Mapping[str, str]
) -> dict[str, str]:
    """The action with the best mean for each type of task; "" is for types that are not there.

    Args:
        values: by task, what each action is worth there; missing actions are worth nothing.
        kinds: each task's type.
    """
    found = {}
    for wanted in ["", *sorted(set(kinds.values()))]:
        tasks = [task for task in values if wanted in ("", kinds[task])]
        sums: dict[str, float] = {}
        for task in tasks:
            for text, value in values[task].items():
                sums[text] = sums.get(text, 0.0) + value
        if sums:
            found[wanted] = max(sorted(sums), key=sums.__getitem__)
    return found

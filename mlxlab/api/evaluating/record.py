"""evaluation.json: means with intervals, by policy and reference line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from mlxlab.core.records import SCHEMA, Record
from mlxlab.scores.bootstrap import interval

HELD_IN, HELD_OUT = "held-in", "held-out"
"""States of training tasks that nothing was trained on, and tasks that were never trained on."""
REWARDS = {"v1": "ml-agent?version=1", "v2": "ml-agent?version=2"}
"""Both published rewards of ML-Agent, measured always."""
ASKED = "reward"
"""The name of the figure of the reward that an evaluation was given: one for all that it measures,
whatever each policy was trained with."""


class Mean(Record):
    """A mean over tasks of means over each task's values, with its 95 % interval."""

    mean: float
    low: float | None = None
    high: float | None = None
    tasks: int = 1
    values: int = 1

    @classmethod
    def of(cls, groups: Iterable[Sequence[float]], seed: int = 0) -> Mean | None:
        """Of one group of values for each task; None without a value."""
        kept = [group for group in groups if group]
        if not kept:
            return None
        found = interval(kept, seed=seed)
        return cls(
            mean=found.mean,
            low=found.low,
            high=found.high,
            tasks=len(kept),
            values=sum(map(len, kept)),
        )


class Singles(Record):
    """What single actions came to, taken from a fixed sample of states.

    `figures` has reward (the one that was given), v1, v2, improvement, valid and unique, and
    improvement_drop and reward_drop where descriptions were swapped; `by_task` each task's means.
    """

    states: int
    samples: int
    failed: int = Field(0, description="Actions without an outcome: the sandbox's engine failed.")
    figures: dict[str, Mean] = {}
    by_task: dict[str, dict[str, float]] = {}


class Loops(Record):
    """What episodes came to.

    `curve` has, after each step, the private score of the best solution by public score, on the
    scale from the starting solution (0) to the ceiling (1); `executions` and `repeats` are counts
    an episode, `steps` how many steps each had.
    """

    episodes: int
    steps: int
    failed: int = 0
    curve: tuple[Mean, ...] = ()
    figures: dict[str, Mean] = {}
    by_task: dict[str, float] = {}
    values: dict[str, tuple[float, ...]] = Field({}, description="By task, one for each seed.")


class Swap(Record):
    """The same states, prompted with their own task's description and with another one's."""

    states: int
    own: Mean
    swapped: Mean
    drop: Mean


class Subject(Record):
    """A policy or a reference line, measured."""

    name: str
    spec: str
    kind: Literal["policy", "reference"]
    key: str = Field("", description="The hash of all that it was measured with.")
    singles: dict[str, Singles] = {}
    loops: dict[str, Loops] = {}
    swap: Swap | None = None
    seconds: float = 0.0
    executed: int = 0
    cached: int = 0
    note: str = Field("", description="Why there are no figures, or what else went wrong.")

    @property
    def measured(self) -> bool:
        """Whether there are figures."""
        return bool(self.singles or self.loops)


class Evaluation(Record):
    """The whole of evaluation.json."""

    schema_version: int = Field(SCHEMA, alias="schema")
    scaffold: str
    reward: str
    scale: str
    subjects: tuple[Subject, ...] = ()
    states: dict[str, int] = {}
    tasks: dict[str, tuple[str, ...]] = {}
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def subject(self, name: str) -> Subject | None:
        """The policy or line of this name."""
        return next((subject for subject in self.subjects if subject.name == name), None)


def means(by_task: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Each task's mean; tasks without a value are left out."""
    return {task: sum(values) / len(values) for task, values in by_task.items() if values}

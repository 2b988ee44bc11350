"""What a training writes of itself: train.json, and a line in train.jsonl for each step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any, Literal, Self

from pydantic import Field

from mlxlab.core.origin import seal, sealed
from mlxlab.core.records import SCHEMA, ComponentRef, Record
from mlxlab.core.trainer import TrainProgress

TrainStatus = Literal["running", "done", "failed", "interrupted"]
_SHARE = 0.1
"""The part of the steps at each end that first and last figures are means over."""


class RunUsed(Record):
    """A run that was learned from; `hash` is the sha256 of its steps.jsonl."""

    run_id: str
    path: str
    hash: str
    steps: int


class CorpusCount(Record):
    """What was learned from, and what was left out with the reasons."""

    examples: int
    tasks: dict[str, int] = Field({}, description="Examples by the task's spec.")
    scaffolds: dict[str, int] = Field({}, description="Examples by the scaffold's spec.")
    skipped: tuple[str, ...] = ()


class Figures(Record):
    """A training's figures at its beginning and its end: means over `window` steps each."""

    steps: int = 0
    window: int = 0
    first: dict[str, float] = {}
    last: dict[str, float] = {}

    @classmethod
    def of(cls, steps: Sequence[TrainProgress]) -> Self:
        """The figures of some steps."""
        if not steps:
            return cls()
        window = max(1, round(len(steps) * _SHARE))
        first, last = _means(steps[:window]), _means(steps[-window:])
        return cls(steps=len(steps), window=window, first=first, last=last)


class TrainManifest(Record):
    """The whole of train.json."""

    schema_version: int = Field(SCHEMA, alias="schema")
    training: str
    created_at: datetime
    mlxlab: str
    python: str
    packages: dict[str, str] = Field({}, description="Versions of what trained.")
    status: TrainStatus = "running"
    error: str | None = None
    trainer: ComponentRef
    base: str = Field(description="The spec of the model that training began with.")
    warm_up: str | None = Field(
        None, description="The folder below of the training that taught the base first."
    )
    runs: tuple[RunUsed, ...]
    corpus: CorpusCount
    reward: ComponentRef | None = None
    sandbox: ComponentRef | None = None
    editor: ComponentRef | None = None
    seed: int
    workers: int | None = None
    exec_timeout_s: float | None = None
    tasks: tuple[str, ...] | None = Field(None, description="Whose states alone were used.")
    trusted: bool = Field(False, description="Whether strangers' tasks were carried out.")
    cache: str | None = Field(None, description="Outcomes that several trainings share.")
    result: str | None = Field(None, description="The spec of the policy that came of it.")
    figures: Figures = Figures()
    wall_s: float = Field(0.0, description="Over all sessions.")
    sessions: int = Field(1, description="How often it was begun or taken up.")
    warnings: tuple[str, ...] = ()
    origin: str = Field("", description="The user's signature of the specs and folders.")

    def signed(self) -> Self:
        """With the user's signature: a stranger's specs could send keys elsewhere."""
        return self.model_copy(update={"origin": seal(self._words())})

    @property
    def own(self) -> bool:
        """Whether this user made it."""
        return sealed(self._words(), self.origin)

    def _words(self) -> list[str]:
        parts = (self.trainer, self.reward, self.sandbox, self.editor)
        said = [f"{part.kind} {part.spec}" for part in parts if part is not None]
        return ["training", self.training, self.base, *said, *(run.path for run in self.runs)]


def differences(before: TrainManifest, now: TrainManifest) -> list[str]:
    """What of two trainings is not the same, for people; workers and caches do not matter."""
    found = []
    pairs = {
        "trainer": (before.trainer.spec, now.trainer.spec),
        "model": (before.base, now.base),
        "seed": (before.seed, now.seed),
        "limit of an execution": (before.exec_timeout_s, now.exec_timeout_s),
        "choice of tasks": (_listed(before.tasks), _listed(now.tasks)),
        "reward": (_spec(before.reward), _spec(now.reward)),
        "sandbox": (_spec(before.sandbox), _spec(now.sandbox)),
        "editor": (_spec(before.editor), _spec(now.editor)),
    }
    for name, (old, new) in pairs.items():
        if old != new:
            found.append(f"its {name} is {_said(old)}, not {_said(new)}")
    same = before.trainer.spec == now.trainer.spec
    if same and _set(before.trainer.config) != _set(now.trainer.config):
        found.append("the trainer's defaults have changed")
    return found + _other_runs(before.runs, now.runs)


def _set(config: Mapping[str, Any]) -> dict[str, Any]:
    """Options that say something: one of a later version that is not set changes nothing."""
    return {name: value for name, value in config.items() if value is not None}


def _other_runs(before: Sequence[RunUsed], now: Sequence[RunUsed]) -> list[str]:
    then, today = ({run.run_id: run.hash for run in runs} for runs in (before, now))
    if then.keys() != today.keys():
        return [f"it learns from other runs ({len(then)}, not {len(today)})"]
    changed = [name for name in then if then[name] != today[name]]
    return [f"the run {changed[0]} has changed since"] if changed else []


def _listed(names: Sequence[str] | None) -> str | None:
    return None if names is None else ", ".join(sorted(names))


def _spec(ref: ComponentRef | None) -> str | None:
    return None if ref is None else ref.spec


def _said(value: object) -> str:
    return "none" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def _means(steps: Sequence[TrainProgress]) -> dict[str, float]:
    """The mean of each figure over the steps that have it; what is no number does not count."""
    values: dict[str, list[float]] = defaultdict(list)
    for step in steps:
        for name, value in step.figures.items():
            if isfinite(value):
                values[name].append(value)
    return {name: sum(found) / len(found) for name, found in values.items()}

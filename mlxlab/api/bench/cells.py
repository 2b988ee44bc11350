"""From a grid to its cells: one run each, with an id that says what it is made of."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlxlab.api.bench.grid import ArmTable, Grid, Settings
from mlxlab.core.components import task_spec
from mlxlab.core.errors import UsageError
from mlxlab.core.listed import suite_of
from mlxlab.core.planning import RunOptions
from mlxlab.core.records import Feedback, Record
from mlxlab.core.registry import Registry
from mlxlab.core.suite import SuiteInfo

NONE_STATED = SuiteInfo(title="", source="")


class Cell(Record):
    """One task, arm and seed; None takes the task's or the scaffold's own default."""

    arm: str
    task: str
    scaffold: str
    policy: str
    seed: int
    sandbox: str = "local"
    editor: str | None = None
    rewards: tuple[str, ...] = ()
    steps: int | None = None
    time_s: float | None = None
    exec_timeout_s: float | None = None
    feedback: Feedback | None = None
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    patience_s: float | None = None
    ideas: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """The same for the same cell of every bench; the arm's name is no part of it.

        What is not said is left out, so that an option that comes later changes no id.
        """
        made_of = self.model_dump(mode="json", exclude={"arm", "patience_s"}, exclude_none=True)
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.task}, {self.arm}, seed {self.seed}"

    def options(self, out: Path, labels: dict[str, str]) -> RunOptions:
        """What a run of this cell is started with."""
        said = self.model_dump(exclude={"arm", "ideas"})
        return RunOptions(**said, ideas=self.ideas or (), out=out, labels=labels)


def cells_of(grid: Grid, registry: Registry) -> tuple[Cell, ...]:
    """Every cell of a grid: all tasks and arms of the first seed, then of the next.

    So what a stopped bench has is whole seeds, and what is left can be told from the first.

    Raises:
        UsageError: the suite cannot be used, or two cells are the same.
    """
    info, listed = _suite(grid, registry)
    tasks = [str(task_spec(task, registry)) for task in (*listed, *grid.tasks)]
    arms = list(_arms(grid, info))
    cells = tuple(
        _cell(grid, info, arm, task, seed)
        for seed in dict.fromkeys(grid.seeds)
        for task in dict.fromkeys(tasks)
        for arm in arms
    )
    _refuse_twice(cells)
    return cells


def _suite(grid: Grid, registry: Registry) -> tuple[SuiteInfo, list[str]]:
    """What the grid's suite states, and the specs of its tasks."""
    if grid.suite is None:
        return NONE_STATED, []
    info, tasks = suite_of(registry, grid.suite)
    found = [task.spec for task in tasks if grid.part in (None, task.part)]
    if not found:
        raise UsageError(f"The suite '{grid.suite}' has no tasks of the part '{grid.part}'.")
    return info, found


def _arms(grid: Grid, info: SuiteInfo) -> Iterator[ArmTable]:
    """The product of scaffolds and policies, then the arms that have tables of their own."""
    scaffolds = grid.scaffolds or (info.scaffold or "aide",)
    policies = grid.policies or ("catalog",)
    if grid.scaffolds or grid.policies or not grid.arms:
        for scaffold in dict.fromkeys(scaffolds):
            for policy in dict.fromkeys(policies):
                both = ((scaffold, len(scaffolds)), (policy, len(policies)))
                name = ", ".join(spec for spec, several in both if several > 1) or scaffold
                yield ArmTable(name=name, scaffold=scaffold, policy=policy)
    for arm in grid.arms:
        # One list of one scaffold or policy is what arms that name none have in common.
        first = {"scaffold": scaffolds[0], "policy": policies[0]}
        missing = {kind: spec for kind, spec in first.items() if getattr(arm, kind) is None}
        yield arm.model_copy(update=missing)


def _cell(grid: Grid, info: SuiteInfo, arm: ArmTable, task: str, seed: int) -> Cell:
    """A cell with what the arm says, else the grid, else the suite."""

    def said(key: str, stated: Any = None) -> Any:
        found = (getattr(of, key) for of in (arm, grid))
        return next((value for value in found if value is not None), stated)

    values = {key: said(key) for key in Settings.model_fields}
    return Cell(
        arm=arm.name,
        task=task,
        scaffold=arm.scaffold or "aide",
        policy=arm.policy or "catalog",
        seed=seed,
        sandbox=values["sandbox"] or "local",
        editor=values["editor"],
        rewards=values["rewards"] or (),
        steps=said("steps", info.steps),
        time_s=said("time", info.time_s),
        exec_timeout_s=said("exec_timeout", info.exec_timeout_s),
        feedback=said("feedback", info.feedback),
        max_cost_usd=values["max_cost"],
        max_tokens=values["max_tokens"],
        patience_s=values["patience"],
    )


def _refuse_twice(cells: tuple[Cell, ...]) -> None:
    counted = Counter(cell.id for cell in cells)
    for cell in cells:
        if counted[cell.id] > 1:
            arms = [other.arm for other in cells if other.id == cell.id]
            raise UsageError(f"The arms {' and '.join(map(repr, arms))} are the same.")

"""Everything that a bench needs is made once before anything runs, and what is wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlxlab.api.bench.cells import Cell
from mlxlab.core.components import Components, task_spec
from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.planning import ground_of, planned
from mlxlab.core.registry import Component, Registry
from mlxlab.core.task import TaskInfo


class Unusable(UsageError):
    """Cells that cannot run; `problems` has one line for each cause, with the cells it concerns."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = f" {len(problems) - 1} more like it." if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}", "Nothing was started.")
        self.problems = tuple(problems)


Tell = Callable[[str], object]


def check(cells: Sequence[Cell], registry: Registry, tell: Tell = str) -> dict[str, int]:
    """How many steps each cell has, by its id; every component is made, every task prepared.

    Args:
        cells: of the bench.
        registry: where components are found.
        tell: is told which task is being prepared, since data may have to be made.

    Raises:
        Unusable: something cannot be used.
    """
    checking = _Checking(registry, tell)
    steps = {cell.id: found for cell in cells if (found := checking.steps(cell)) is not None}
    if checking.problems:
        raise Unusable([_line(text, where) for text, where in checking.problems.items()])
    return steps


class _Checking:
    """Components and tasks that were made, and what went wrong with which cells."""

    def __init__(self, registry: Registry, tell: Tell) -> None:
        self._registry = registry
        self._tell = tell
        self._made: dict[tuple[str, str], Component[Any] | None] = {}
        self._grounds: dict[str, TaskInfo | None] = {}
        self._failed: dict[tuple[str, str], str] = {}
        self.problems: dict[str, list[Cell]] = {}

    def steps(self, cell: Cell) -> int | None:
        """How many steps a cell is to have; None where it cannot run."""
        components = self._components(cell)
        info = self._ground(cell, components.task) if components is not None else None
        if components is None or info is None:
            return None
        found: list[int] = []
        with self._noting(cell):
            found.append(planned(cell.options(Path(), {}), components, info).budget.steps)
        return found[0] if found else None

    def _components(self, cell: Cell) -> Components | None:
        made = {
            kind: self._component(cell, kind, getattr(cell, kind))
            for kind in ("policy", "scaffold", "sandbox", "task")
        }
        rewards = {spec: self._component(cell, "reward", spec) for spec in cell.rewards}
        editor = self._component(cell, "policy", cell.editor) if cell.editor else None
        parts = [*made.values(), *rewards.values(), *([editor] if cell.editor else [])]
        if any(part is None for part in parts):
            return None
        return Components(self._registry, rewards=rewards, editor=editor, **made)  # type: ignore[arg-type]

    def _component(self, cell: Cell, kind: str, spec: str) -> Component[Any] | None:
        if (kind, spec) in self._made:
            self._again(cell, (kind, spec))
            return self._made[kind, spec]
        self._made[kind, spec] = None
        with self._noting(cell, (kind, spec)):
            meant = task_spec(spec, self._registry) if kind == "task" else spec
            self._made[kind, spec] = self._registry.create(kind, meant)
        return self._made[kind, spec]

    def _ground(self, cell: Cell, task: Component[Any]) -> TaskInfo | None:
        if cell.task in self._grounds:
            self._again(cell, ("ground", cell.task))
        else:
            self._grounds[cell.task] = None
            with self._noting(cell, ("ground", cell.task)):
                self._tell(cell.task)
                self._grounds[cell.task] = ground_of(task).info
        return self._grounds[cell.task]

    def _again(self, cell: Cell, what: tuple[str, str]) -> None:
        if (text := self._failed.get(what)) is not None:
            self.problems[text].append(cell)

    @contextmanager
    def _noting(self, cell: Cell, what: tuple[str, str] | None = None) -> Iterator[None]:
        """Note what goes wrong, once for all the cells that it concerns."""
        try:
            yield
        except MlxError as error:
            text = str(error)
            self.problems.setdefault(text, []).append(cell)
            if what is not None:
                self._failed[what] = text


def _line(text: str, cells: Sequence[Cell]) -> str:
    """A problem behind the cells that have it: one by name, several by their number."""
    others = len({cell.id for cell in cells}) - 1
    more = f" and {others} more cell{'s' * (others != 1)}" if others else ""
    return f"{cells[0].title}{more}: {text}"

"""Where a bench stands, for those who watch it."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean

from mlxlab.api.bench.cells import Cell
from mlxlab.api.bench.record import Event, Outcome
from mlxlab.core.totals import Totals


@dataclass
class Current:
    """What one worker does now; `steps` of `of` are recorded."""

    cell: Cell
    attempt: int
    of: int
    steps: int = 0
    paused: str = ""
    since: float = field(default_factory=time.monotonic)


@dataclass
class State:
    """All cells, how those ended that did, what runs, and what is spent.

    Args:
        steps: of each cell, by its id.
    """

    cells: Sequence[Cell]
    workers: int
    steps: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    current: dict[int, Current] = field(default_factory=dict)
    spent: Totals = field(default_factory=Totals)
    elapsed_before: float = 0.0
    stopping: str = ""
    retries: int = 0
    _began: float = field(default_factory=time.monotonic)
    _took: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def elapsed_s(self) -> float:
        """Of the bench, without the pauses between its sessions."""
        return self.elapsed_before + time.monotonic() - self._began

    @property
    def counts(self) -> Counter[str]:
        """How many cells ended in each way."""
        return Counter(self.outcomes.values())

    @property
    def ended(self) -> int:
        """Cells that need no further attempt."""
        return self.counts["done"] + self.counts["failed"]

    def took(self, cell: Cell, seconds: float) -> None:
        """Note how long a whole cell took."""
        self._took[cell.task, cell.arm].append(seconds)

    def learn(self, events: Iterable[Event]) -> None:
        """Note how long cells took in earlier sessions."""
        cells = {cell.id: cell for cell in self.cells}
        began: dict[tuple[str, int], float] = {}
        for event in (event for event in events if event.cell in cells):
            key = event.cell, event.attempt
            if event.event == "started":
                began[key] = event.elapsed_s  # pauses between sessions do not count
            elif event.event == "done" and event.attempt == 1 and key in began:
                self.took(cells[event.cell], event.elapsed_s - began[key])

    def left_s(self) -> float | None:
        """Seconds until all cells have ended, as those took that did; None before any has."""
        if not self._took:
            return None
        running = {current.cell.id: current for current in self.current.values()}
        total = longest = 0.0
        for cell in self.cells:
            if self.outcomes.get(cell.id) in {"done", "failed"}:
                continue
            seconds = self._expected(cell)
            if (current := running.get(cell.id)) is not None:
                seconds = max(seconds - (time.monotonic() - current.since), seconds * 0.1)
            total, longest = total + seconds, max(longest, seconds)
        return max(total / self.workers, longest)

    def _expected(self, cell: Cell) -> float:
        """What such a cell takes: the same task and arm, else the task, else any."""
        alike = self._took.get((cell.task, cell.arm))
        alike = alike or [s for (task, _), all_ in self._took.items() if task == cell.task
                          for s in all_]  # fmt: skip
        return mean(alike or [s for all_ in self._took.values() for s in all_])

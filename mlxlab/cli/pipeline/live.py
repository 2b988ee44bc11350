"""A pipeline on a terminal: the stages with ticks, and the screen of the one that goes on."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mlxlab.api.pipeline import StageRecord
from mlxlab.api.training import TrainManifest
from mlxlab.cli.pipeline.lines import Silent
from mlxlab.cli.text import duration, plain
from mlxlab.cli.train.lines import Pace
from mlxlab.cli.train.panel import Shown, panel
from mlxlab.cli.view.tree import glyphs
from mlxlab.core.trainer import TrainProgress

_NOTES = 4
_SIGNS = {"done": ("✓", "green"), "failed": ("✗", "red"), "interrupted": ("…", "yellow")}
_PLAIN = {"done": "+", "failed": "x", "interrupted": "."}


@dataclass
class _Now:
    """What the present stage is at."""

    stage: str
    since: float
    notes: deque[str]
    counted: tuple[str, int, int] | None = None
    training: Shown | None = None


class LiveView(Silent):
    """Redraws four times a second; the last frame stays on the screen."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._began = time.monotonic()
        self._stages: Sequence[str] = ()
        self._ended: dict[str, StageRecord] = {}
        self._now: _Now | None = None
        self._live: Live | None = None

    def plan(self, stages: Sequence[str]) -> None:
        """Begin to draw."""
        self._stages = stages
        self._live = Live(
            self,
            console=self._console,
            refresh_per_second=4,
            redirect_stdout=sys.stdout.isatty(),
            vertical_overflow="crop",
        )
        self._live.start()

    def kept(self, record: StageRecord) -> None:
        """Tick it."""
        self._ended[record.stage] = record

    def begin(self, stage: str, why: str) -> None:
        """Show it as the present one."""
        self._now = _Now(stage, time.monotonic(), deque(maxlen=_NOTES))
        if why:
            self.note(f"done again: {why}")

    def note(self, line: str) -> None:
        """Show it until newer ones come."""
        if self._now is not None:
            self._now.notes.append(plain(line))

    def count(self, what: str, done: int, total: int) -> None:
        """Show how far it is."""
        if self._now is not None:
            self._now.counted = (what, done, total)

    def training(
        self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]
    ) -> None:
        """Show the training's own screen."""
        if self._now is not None:
            self._now.training = Shown(manifest, folder, [*before], Pace(), deque())

    def step(self, progress: TrainProgress) -> None:
        """Show it with the next frame."""
        if self._now is not None and self._now.training is not None:
            self._now.training.pace.step(progress)
            self._now.training.steps.append(progress)

    def end(self, record: StageRecord) -> None:
        """Tick it, or cross it."""
        self._ended[record.stage] = record
        self._now = None

    def close(self) -> None:
        """Stop drawing; a second call does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One frame."""
        yield Group(*self._listed(console), *self._present(console, options.max_width))

    def _listed(self, console: Console) -> Iterator[Text]:
        utf = console.encoding.startswith("utf")
        wide = max((len(stage) for stage in self._stages), default=0)
        for stage in self._stages:
            record = self._ended.get(stage)
            if record is not None:
                sign, style = _SIGNS.get(record.status, ("?", ""))
                sign = sign if utf else _PLAIN.get(record.status, "?")
                told = f"{stage:<{wide}}  {duration(record.seconds)}"
                yield Text.assemble((f" {sign} ", style), (told, "dim"))
            elif self._now is not None and self._now.stage == stage:
                took = duration(time.monotonic() - self._now.since)
                yield Text.assemble((" > ", "cyan"), (f"{stage:<{wide}}", "bold"), f"  {took}")
            else:
                yield Text(f"   {stage}", "dim")
        yield Text(f"   in all {duration(time.monotonic() - self._began)}", "dim")

    def _present(self, console: Console, width: int) -> Iterator[Text | Table]:
        now = self._now
        if now is None:
            return
        yield Text()
        if now.training is not None:
            yield from panel(now.training, width, glyphs(console))
        if now.counted is not None:
            what, done, total = now.counted
            row = Table.grid(padding=(0, 2))
            bar = ProgressBar(total=max(1, total), completed=done, width=24)
            row.add_row(bar, Text(f"{plain(what)}, {done} of {total}", no_wrap=True))
            yield row
        for line in list(now.notes):
            yield Text(line, "dim", no_wrap=True, overflow="ellipsis")

"""A training on a terminal: redrawn a few times a second, one screen."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.text import Text

from mlxlab.api.training import TrainManifest, TrainPlan
from mlxlab.cli.text import plain
from mlxlab.cli.train.lines import Pace, Silent
from mlxlab.cli.train.panel import Shown, panel
from mlxlab.cli.view.tree import glyphs
from mlxlab.core.trainer import TrainProgress

_WARNINGS = 3
"""The latest warnings stay on the screen; all of them are in train.json."""


class LiveView(Silent):
    """Draws the stage that goes on; the last frame of each stays on the screen."""

    def __init__(self, plan: TrainPlan, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._shown: Shown | None = None

    def begin(self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]) -> None:
        """Begin to draw."""
        self.close()
        self._shown = Shown(manifest, folder, [*before], Pace(), deque(maxlen=_WARNINGS))
        self._live = Live(
            self,
            console=self._console,
            refresh_per_second=4,
            redirect_stdout=sys.stdout.isatty(),
            vertical_overflow="crop",
        )
        self._live.start()

    def step(self, progress: TrainProgress) -> None:
        """Show it with the next frame."""
        if self._shown is not None:
            self._shown.pace.step(progress)
            self._shown.steps.append(progress)

    def warn(self, line: str) -> None:
        """Show it until newer ones come."""
        if self._shown is not None:
            self._shown.warnings.append(plain(line))
        else:
            self._console.print(Text(plain(line), "yellow"))

    def end(self, manifest: TrainManifest) -> None:
        """Leave the last frame on the screen."""
        if self._shown is not None:
            self._shown.over = True
        self.close()

    def close(self) -> None:
        """Stop drawing; a second call does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One frame."""
        if self._shown is not None:
            yield Group(*self._lines(console, options.max_width))

    def _lines(self, console: Console, width: int) -> Iterator[Text]:
        assert self._shown is not None
        yield from panel(self._shown, width, glyphs(console))

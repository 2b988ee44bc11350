"""Progress of a training as plain lines on stderr: for logs, pipes and dumb terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mlxlab.api.training import TrainManifest, TrainPlan, Watch
from mlxlab.cli.text import count, duration, plain
from mlxlab.cli.train.figures import told, vain
from mlxlab.core.trainer import TrainProgress

EVERY_S = 5.0
"""Of quick steps one is told in so many seconds."""


class Silent(Watch):
    """No progress."""

    def close(self) -> None:
        """Nothing to close."""


class LineView(Silent):
    """A line when a stage begins, one for each slow step or now and then, one at its end."""

    def __init__(self, plan: TrainPlan) -> None:
        self._plan = plan
        self._last_line = 0.0
        self._pace = Pace()
        self._last: TrainProgress | None = None
        self._told_step = -1

    def begin(self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]) -> None:
        """Say what is trained."""
        _say(heading(manifest, folder))
        self._pace, self._last, self._last_line = Pace(), None, 0.0
        if before:
            _say(f"taken up after step {before[-1].step}")

    def step(self, progress: TrainProgress) -> None:
        """Tell the first one, the last one, and one every few seconds."""
        self._pace.step(progress)
        self._last = progress
        clock = time.monotonic()
        if clock - self._last_line >= EVERY_S or progress.step == progress.total:
            self._last_line, self._told_step = clock, progress.step
            _say(step_line(progress, self._pace))

    def warn(self, line: str) -> None:
        """Say it."""
        _say(plain(line))

    def end(self, manifest: TrainManifest) -> None:
        """Tell the last step, if it was too quick."""
        if self._last is not None and self._last.step != self._told_step:
            _say(step_line(self._last, self._pace))


class Pace:
    """How long steps take, and so what is left."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._latest: tuple[int, float] = (0, self._began)
        self._total: int | None = None

    def step(self, progress: TrainProgress) -> None:
        """A step was taken now."""
        clock = time.monotonic()
        self._first = self._first or (progress.step, clock)
        self._latest, self._total = (progress.step, clock), progress.total

    @property
    def elapsed_s(self) -> float:
        """Since the stage began in this process."""
        return time.monotonic() - self._began

    def left_s(self) -> float | None:
        """About how long the rest takes; None before two steps are known."""
        if self._first is None or self._total is None or self._latest[0] <= self._first[0]:
            return None
        each = (self._latest[1] - self._first[1]) / (self._latest[0] - self._first[0])
        passed = time.monotonic() - self._latest[1]
        return max(0.0, each * (self._total - self._latest[0]) - min(passed, each))


def heading(manifest: TrainManifest, folder: Path) -> str:
    """What is trained, from what, on what, to where."""
    corpus = manifest.corpus
    source = f"{count(corpus.examples, 'step')} of {count(len(manifest.runs), 'run')}"
    base = f"what {manifest.warm_up} made" if manifest.warm_up else manifest.base
    parts = [f"{plain(manifest.trainer.spec)} from {plain(base)}", f"on {source}"]
    if manifest.reward is not None and manifest.sandbox is not None:
        parts.append(f"reward {plain(manifest.reward.spec)}")
        parts.append(f"sandbox {plain(manifest.sandbox.spec)}")
    return f"train {', '.join(parts)}, into {plain(str(folder))}"


def step_line(progress: TrainProgress, pace: Pace) -> str:
    """A step's figures, its seconds, and how long the rest may take."""
    of = f"/{progress.total}" if progress.total is not None else ""
    width = len(str(progress.total or progress.step))
    parts = [f"step {progress.step:>{width}}{of}"]
    parts += [f"{plain(name)} {value}" for name, value in told(progress.figures)]
    parts += vain(progress.figures)
    if (seconds := progress.figures.get("step_s")) is not None:
        parts.append(duration(seconds))
    left = pace.left_s()
    if left is not None and left >= 1:
        parts.append(f"about {duration(left)} left")
    return "  ".join(parts)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

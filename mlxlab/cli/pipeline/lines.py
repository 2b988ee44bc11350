"""Progress of a pipeline as plain lines on stderr: for logs, pipes and dumb terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mlxlab.api.pipeline import StageRecord, Watch
from mlxlab.api.training import TrainManifest
from mlxlab.cli.text import duration, plain
from mlxlab.cli.train.figures import told
from mlxlab.cli.train.lines import EVERY_S, heading
from mlxlab.core.trainer import TrainProgress


class Silent(Watch):
    """No progress."""

    def close(self) -> None:
        """Nothing to close."""


class LineView(Silent):
    """A line for each stage that begins or ends, and some of what goes on within."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = 0.0
        self._stages: Sequence[str] = ()

    def plan(self, stages: Sequence[str]) -> None:
        """Say what there is to do."""
        self._stages = stages
        _say(f"stages: {', '.join(stages)}")

    def kept(self, record: StageRecord) -> None:
        """Say that nothing is left to do of it."""
        _say(f"{record.stage}: done before, in {duration(record.seconds)}")

    def begin(self, stage: str, why: str) -> None:
        """Say what begins."""
        again = f", again, for {plain(why)}" if why else ""
        self._last = 0.0
        place = f"[{self._stages.index(stage) + 1}/{len(self._stages)}] "
        _say(f"{place}{stage}{again}   {duration(time.monotonic() - self._began)} in all")

    def note(self, line: str) -> None:
        """Say it."""
        _say(f"  {plain(line)}")

    def count(self, what: str, done: int, total: int) -> None:
        """Tell now and then."""
        if self._due():
            _say(f"  {plain(what)}: {done} of {total}")

    def training(
        self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]
    ) -> None:
        """Say what is trained."""
        _say(f"  {heading(manifest, folder)}")
        if before:
            _say(f"  taken up after step {before[-1].step}")

    def step(self, progress: TrainProgress) -> None:
        """Tell now and then."""
        if self._due() or progress.step == progress.total:
            of = f"/{progress.total}" if progress.total is not None else ""
            parts = [f"{plain(name)} {value}" for name, value in told(progress.figures)]
            _say("  ".join([f"  step {progress.step}{of}", *parts]))

    def end(self, record: StageRecord) -> None:
        """Say how it ended."""
        _say(f"{record.stage}: {record.status}, in {duration(record.seconds)}")

    def _due(self) -> bool:
        clock = time.monotonic()
        if clock - self._last < EVERY_S:
            return False
        self._last = clock
        return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

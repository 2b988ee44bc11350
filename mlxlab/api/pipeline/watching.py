"""Who looks on while a pipeline runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlxlab.api.pipeline.record import StageRecord
from mlxlab.api.training import TrainManifest
from mlxlab.core.trainer import TrainProgress


class Watch:
    """Hears of everything, and here does nothing about it."""

    def plan(self, stages: Sequence[str]) -> None:
        """These are the stages, in their order."""

    def kept(self, record: StageRecord) -> None:
        """A stage was done before."""

    def begin(self, stage: str, why: str) -> None:
        """A stage begins; `why` says what had changed where it was done before."""

    def note(self, line: str) -> None:
        """Something that a person may want to read."""

    def count(self, what: str, done: int, total: int) -> None:
        """How much of the stage's present work is done."""

    def training(
        self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]
    ) -> None:
        """A training begins, or goes on after the steps `before`."""

    def step(self, progress: TrainProgress) -> None:
        """An optimizer step is safe on disk."""

    def end(self, record: StageRecord) -> None:
        """A stage ended, whichever way."""

"""Who looks on while a policy is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mlxlab.api.training.record import TrainManifest
from mlxlab.core.trainer import TrainProgress


class Watch:
    """Hears of everything, and here does nothing about it; stages come one after the other."""

    def begin(self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]) -> None:
        """A stage begins, or goes on after the steps `before`."""

    def step(self, progress: TrainProgress) -> None:
        """An optimizer step is safe on disk."""

    def warn(self, line: str) -> None:
        """Something was left out, or went wrong without ending the training."""

    def end(self, manifest: TrainManifest) -> None:
        """A stage ended, whichever way."""


class Callbacks(Watch):
    """Tells two functions."""

    def __init__(
        self,
        tell: Callable[[TrainProgress], None] | None,
        warn: Callable[[str], None] | None,
    ) -> None:
        self._tell, self._say = tell, warn

    def step(self, progress: TrainProgress) -> None:
        """Tell the first."""
        if self._tell is not None:
            self._tell(progress)

    def warn(self, line: str) -> None:
        """Tell the second."""
        if self._say is not None:
            self._say(line)

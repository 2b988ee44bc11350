"""A recorded training, as Python sees it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from mlxlab.api.training.folder import TrainFolder
from mlxlab.api.training.lessons import lessons
from mlxlab.api.training.record import TrainManifest
from mlxlab.core.errors import RecordError
from mlxlab.core.trainer import TrainProgress


class Training:
    """A training by its folder; what it says is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Training({str(self.folder)!r})"

    @cached_property
    def manifest(self) -> TrainManifest:
        """train.json; raises RecordError if it cannot be read."""
        return TrainFolder(self.folder).manifest()

    @property
    def policy(self) -> str:
        """The spec of the policy that came of it; raises RecordError where there is none yet."""
        if self.manifest.result is None:
            raise RecordError(
                f"The training {self.folder} is not done.",
                f"Go on with: mlx train --resume {self.folder}",
            )
        return self.manifest.result

    @property
    def steps(self) -> list[TrainProgress]:
        """The optimizer steps."""
        return TrainFolder(self.folder).progress()

    @property
    def warm_up(self) -> Training | None:
        """The training that taught its base first."""
        below = self.manifest.warm_up
        return None if below is None else Training(self.folder / below)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints; what is no number is null."""
        m = self.manifest
        found: dict[str, Any] = {
            "train_dir": str(self.folder),
            "status": m.status,
            "trainer": m.trainer.spec,
            "base": m.base,
            "policy": m.result,
            "reward": m.reward.spec if m.reward else None,
            "seed": m.seed,
            "runs": len(m.runs),
            "examples": m.corpus.examples,
            "skipped": list(m.corpus.skipped),
            "steps": m.figures.steps,
            "figures": m.figures.model_dump(mode="json"),
            "lessons": list(lessons(self.steps)),
            "warnings": list(m.warnings),
            "wall_s": m.wall_s,
            "warm_up": self.warm_up.as_dict() if self.warm_up is not None else None,
        }
        return found | ({"error": m.error} if m.error else {})

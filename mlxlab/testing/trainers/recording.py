"""A trainer that learns nothing and writes down what it was given."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.errors import UsageError
from mlxlab.core.removal import remove_tree
from mlxlab.core.trainer import CHECKPOINTS, FINAL, PolicyRef, TrainJob, TrainProgress

GIVEN = "given.json"
"""The file of its result."""


class RecordingConfig(BaseModel):
    """Options of the trainer that records."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(3, gt=0, description="Steps that it takes.")


class RecordingTrainer:
    """Takes steps that change nothing and writes the job into `final/given.json`.

    It keeps every promise of a trainer without torch, so it serves where a training is needed and
    its result is not: tests of what calls a trainer.
    """

    needs_arena: ClassVar[bool] = False

    def __init__(self, config: RecordingConfig) -> None:
        self.config = config

    def train(self, job: TrainJob) -> PolicyRef:
        """Go on from the newest checkpoint to the end; raises UsageError for an empty corpus."""
        if not job.corpus.examples:
            raise UsageError("Nothing is there to learn from.", "Record runs first: mlx run.")
        kept = job.out / CHECKPOINTS
        kept.mkdir(parents=True, exist_ok=True)
        for step in range(_newest(kept) + 1, self.config.steps + 1):
            self._step(job, kept, step)
        return self._finish(job)

    def _step(self, job: TrainJob, kept: Path, step: int) -> None:
        began = time.perf_counter()
        loss = Random(f"{job.seed}:{step}").uniform(0, 1) / step
        write(kept / f"step-{step}.json", {"step": step})
        figures = {"loss": loss, "step_s": time.perf_counter() - began}
        job.tell(TrainProgress(step=step, total=self.config.steps, figures=figures))

    def _finish(self, job: TrainJob) -> PolicyRef:
        folder, new = job.out / FINAL, job.out / f".{FINAL}.new"
        if not folder.is_dir():
            remove_tree(new)
            new.mkdir()
            write(new / GIVEN, given(job, self.config.steps))
            new.replace(folder)
        return PolicyRef(spec=f"local:{folder}")


def given(job: TrainJob, steps: int) -> dict[str, Any]:
    """A job as JSON holds it."""
    return {
        "base": job.base.spec,
        "reward": job.reward,
        "seed": job.seed,
        "steps": steps,
        "examples": [
            {
                "state": each.state.id,
                "task": each.state.task,
                "messages": [message.model_dump(mode="json") for message in each.messages()],
                "text": each.text,
                "status": each.status,
                "score": each.score,
            }
            for each in job.corpus.examples
        ],
    }


def write(path: Path, value: object) -> None:
    """Write JSON in one move, so that a kill leaves the file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _newest(kept: Path) -> int:
    return max((int(path.stem.partition("-")[2]) for path in kept.glob("step-*.json")), default=0)

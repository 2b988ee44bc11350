"""A third-party distribution's trainers: they count to a number, and can fail on the way."""

from __future__ import annotations

import errno
import os
import signal
import time
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.errors import PolicyError
from mlxlab.core.records import Completion
from mlxlab.core.trainer import (
    CHECKPOINTS,
    FINAL,
    Estimate,
    Machine,
    PolicyRef,
    TrainJob,
    TrainProgress,
)


class CountingConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(5, description="How far it counts.")
    latency_s: float = Field(0.0, description="How long a step takes, in seconds.")
    fails_at: int | None = Field(None, description="The step at which it fails.")
    how: str = Field("error", description="How it fails: error, full, bug, kill, interrupt.")
    prints: bool = Field(False, description="Whether it prints, as libraries do.")


class Counting:
    """Counts, with a checkpoint for each number."""

    needs_arena: ClassVar[bool] = False

    def __init__(self, config: CountingConfig) -> None:
        self._config = config

    def train(self, job: TrainJob) -> PolicyRef:
        config = self._config
        checkpoints = job.out / CHECKPOINTS
        checkpoints.mkdir(exist_ok=True)
        if config.how == "elsewhere":
            os.chdir("/")
        if config.how == "number":
            job.tell(1)  # type: ignore[arg-type]
        begin = max((int(path.name) for path in checkpoints.iterdir()), default=0)
        for step in range(begin + 1, config.steps + 1):
            time.sleep(config.latency_s)
            if config.prints:
                print("a library says something")
            # Once: a training that is taken up gets past it.
            failed = job.out / f"failed-{step}"
            if step == config.fails_at and not failed.exists():
                failed.touch()
                self._fail()
            figures = {"reward": 0.5 - 1 / (step + 1), "loss": 1 / step, **self._act(job, step)}
            job.tell(TrainProgress(step=step, total=config.steps, figures=figures))
            if step % 2 == 0:
                (checkpoints / str(step)).touch()
        final = job.out / FINAL
        if config.how == "nothing":
            return PolicyRef(spec=f"local:{final}")
        final.mkdir(exist_ok=True)
        (final / "config.json").write_text("{}")
        named = {"above": str(job.out), "bare": FINAL}.get(config.how, str(final))
        return PolicyRef(spec=f"local:{named}")

    def _act(self, job: TrainJob, step: int) -> dict[str, float]:
        return {}

    def _fail(self) -> None:
        how = self._config.how
        if how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "weights")
        if how == "bug":
            raise ValueError("a bug of the trainer")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "stop":
            raise KeyboardInterrupt
        if how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        raise PolicyError("The weights are gone.", "Look for them.")

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        steps = f"{self._config.steps}"
        return [Estimate(name="steps", value=steps, basis=f"on {machine.gpus} GPUs")]


class TeachingConfig(CountingConfig):
    batch: int = Field(1, description="What a teacher is asked for.")


class Teaching(Counting):
    """Counts as far as it is told to."""

    def __init__(self, config: TeachingConfig) -> None:
        super().__init__(config)


class Repeating(Counting):
    """Takes the recorded actions again, one a step; states no estimates."""

    needs_arena: ClassVar[bool] = True
    estimate = None  # type: ignore[assignment]

    def __init__(self, config: CountingConfig) -> None:
        super().__init__(config)

    def _act(self, job: TrainJob, step: int) -> dict[str, float]:
        assert job.arena is not None
        example = job.corpus.examples[step % len(job.corpus.examples)]
        (taken,) = job.arena.take([example.state], [Completion(text=example.text)])
        if taken.failed:
            job.warn(f"An action was lost: {taken.failed}")
            return {"failed": 1}
        value = taken.rewards[job.reward].value
        reward = {} if value is None else {"reward": value}
        return {**reward, "cached": float(taken.cached), "executed": float(not taken.cached)}

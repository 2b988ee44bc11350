"""What a training with an own loop writes down, and what a killed one goes on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from mlxlab.core.trainer import CHECKPOINTS, PolicyRef, TrainJob, TrainProgress
from mlxlab.plugins.training.card import Facts
from mlxlab.plugins.training.checkpoints import Checkpoints
from mlxlab.plugins.training.final import save_final
from mlxlab.plugins.training.learning import Learner, Optimized
from mlxlab.plugins.training.samples import Sample, Samples
from mlxlab.plugins.training.saving import steps_between
from mlxlab.plugins.training.sequences import inner
from mlxlab.plugins.training.tracking import begin, end


class Journal:
    """Checkpoints, samples and figures of a training, step after step.

    A step is told once its checkpoint is on disk. After a kill the steps of the newest checkpoint
    are told again, in case it came in between; who heard of them leaves them out.

    Args:
        trainer: its name, for the card.
        parts: what is trained, by the names that checkpoints keep it under.
        total: steps of the whole training.
    """

    def __init__(
        self,
        job: TrainJob,
        trainer: str,
        learner: Learner,
        parts: Mapping[str, Optimized],
        total: int,
    ) -> None:
        self._job, self._trainer, self._learner = job, trainer, learner
        self._parts, self._total = parts, total
        trained = sum(weight.numel() for part in parts.values() for weight in part.trained())
        self._every = steps_between(learner.config.save_steps, trained)
        self._main = bool(learner.accelerator.is_main_process)
        self._checkpoints = Checkpoints(job.out / CHECKPOINTS)
        self._samples: Samples | None = None
        self._waiting: list[TrainProgress] = []
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._before_s = 0.0
        self._since = perf_counter()
        self._step = 0
        self.over = False
        """Whether the last step is done."""
        self.counters: dict[str, Any] = {}

    def resume(self) -> int:
        """Take up the newest checkpoint; returns its step, 0 where there is none."""
        kept = self._checkpoints.newest()
        if kept is not None:
            self._step = kept.step
            kept.load({name: inner(part.net) for name, part in self._parts.items()})
            for name, part in self._parts.items():
                part.optimizer.load_state_dict(kept.states(f"{name}-optimizer"))
            self._go_on(kept.counters)
        if self._main:
            self._samples = Samples(self._job.out, after=self._step)
        begin(self._learner.accelerator, self._trainer, self._learner.config.model_dump())
        self.over = self._ends()
        return self._step

    def commit(
        self,
        step: int,
        figures: Mapping[str, float],
        samples: Sequence[Sample],
        counters: Mapping[str, Any],
    ) -> None:
        """Write a step down.

        Args:
            step: from 1.
            figures: of the step.
            samples: what was sampled in it.
            counters: what the trainer will find in `counters` after a kill.
        """
        self._step = step
        self._first = self._first or dict(figures)
        self._last = dict(figures)
        self.over = self._ends()
        self._learner.accelerator.log(dict(figures), step=step)
        if not self._main:
            return
        assert self._samples is not None
        self._samples.add(samples)
        total = self._total if self._learner.config.max_s is None else None
        self._waiting.append(TrainProgress(step=step, total=total, figures=dict(figures)))
        if step % self._every == 0 or self.over:
            self._save(step, counters)

    def close(self) -> None:
        """Close its files and trackers."""
        end(self._learner.accelerator)
        if self._samples is not None:
            self._samples.close()

    def finish(self, options: Mapping[str, Any], notes: Sequence[str] = ()) -> PolicyRef:
        """Write the result with its card."""
        facts = Facts(
            trainer=self._trainer,
            options=options,
            steps=self._step,
            first=self._first,
            last=self._last,
            seconds=self._seconds(),
            reward=self._job.reward,
            notes=tuple(notes),
        )
        merge = self._learner.config.save == "merged"
        return save_final(self._job, self._learner.loaded, facts, merge=merge)

    def _go_on(self, kept: Mapping[str, Any]) -> None:
        self.counters = dict(kept["counters"])
        self._first, self._last = kept["first"], kept["last"]
        self._before_s = kept["seconds"]
        if self._main:
            for each in kept["steps"]:
                self._job.tell(TrainProgress.model_validate(each))

    def _save(self, step: int, counters: Mapping[str, Any]) -> None:
        told, self._waiting = self._waiting, []
        states = {
            f"{name}-optimizer": part.optimizer.state_dict() for name, part in self._parts.items()
        }
        self._checkpoints.save(
            step,
            modules={name: inner(part.net) for name, part in self._parts.items()},
            states=states,
            counters={
                "counters": dict(counters),
                "first": self._first,
                "last": self._last,
                "seconds": self._seconds(),
                "steps": [each.model_dump(mode="json") for each in told],
            },
        )
        for each in told:
            self._job.tell(each)

    def _ends(self) -> bool:
        """Whether there are enough steps, or no time for more; each process hears the same."""
        if self._step >= self._total:
            return True
        limit, accelerator = self._learner.config.max_s, self._learner.accelerator
        if limit is None or not self._step:
            return False
        if self._main and self._seconds() >= limit:
            accelerator.set_trigger()
        return bool(accelerator.check_trigger())

    def _seconds(self) -> float:
        return self._before_s + perf_counter() - self._since

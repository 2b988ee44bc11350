"""A training's steps from the newest checkpoint on, in the trainers with an own loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlxlab.core.trainer import PolicyRef, TrainJob
from mlxlab.plugins.training.drawn import Clock
from mlxlab.plugins.training.journal import Journal
from mlxlab.plugins.training.learning import Learner, Optimized
from mlxlab.plugins.training.scoring import Scored


class Course:
    """Takes steps until there are enough; each is written down before the next one begins.

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
        self._seed, self._learner, self._total = job.seed, learner, total
        self._journal = Journal(job, trainer, learner, parts, total)
        self._transitions = 0

    def run(
        self,
        step: Callable[[int], None],
        restore: Callable[[Mapping[str, Any]], None] = lambda counters: None,
    ) -> PolicyRef:
        """Take the steps that are left; returns the trained policy.

        Args:
            step: takes one, from 1 on, and commits it.
            restore: takes up the counters of the newest checkpoint, where there is one.
        """
        import torch

        try:
            done = self._journal.resume()
            if done:
                self._transitions = self._journal.counters["transitions"]
                restore(self._journal.counters)
            while not self._journal.over:
                done += 1
                torch.manual_seed(self._seed * 1_000_003 + done)
                step(done)
            return self._journal.finish(self._learner.config.model_dump(exclude_none=True))
        finally:
            self._journal.close()

    def commit(
        self,
        step: int,
        scored: Scored,
        figures: Mapping[str, float],
        clock: Clock,
        counters: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a step down.

        Args:
            step: from 1.
            scored: its actions.
            figures: what else is told of it.
            clock: of the step.
            counters: what `restore` will be given after a kill.
        """
        self._transitions += len(scored.taken) + clock.played
        told = {
            **scored.figures,
            **figures,
            "transitions": self._transitions,
            "lr": self._learner.lr,
            **clock.figures(),
        }
        kept = {**(counters or {}), "transitions": self._transitions}
        self._journal.commit(step, told, scored.samples(step), kept)

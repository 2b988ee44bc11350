"""Scores of different metrics on one scale: 0 is where an agent begins, 1 the best there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlxlab.core.task import TaskInfo
from mlxlab.scores.gain import gap_closed


@dataclass(frozen=True)
class Scale:
    """Normalises private scores: (score - m_init) / (ceiling - m_init).

    The ceiling of a task is the best private score of its exhaustive grid; without one it is the
    task's own m_best. Whoever has found nothing that is better than the starting solution, by
    public score, hands that one in: then the value is 0. Without this rule one unlucky program of
    an unbounded metric would outweigh all other tasks; it holds for every policy and line alike.

    Args:
        ceilings: the best private score there is, by the task's spec.
    """

    ceilings: Mapping[str, float]

    def value(
        self, task: str, info: TaskInfo, private: float | None, public: float | None
    ) -> float | None:
        """None where the task states no starting score, or no way to go."""
        if info.m_init is None:
            return None
        top = self.ceilings.get(task, info.m_best)
        if private is None or (public is not None and not info.metric.better(public, info.m_init)):
            private = info.m_init
        return gap_closed(private, info.m_init, top)

    @property
    def words(self) -> str:
        """What 1 stands for."""
        return "the exhaustive grid's best" if self.ceilings else "the task's m_best"

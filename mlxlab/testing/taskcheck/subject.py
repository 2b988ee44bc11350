"""The task under test, built twice, with its public files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlxlab.core.sandbox import Sandbox
from mlxlab.core.task import Grade, Grader, Task, TaskInfo
from mlxlab.core.tasked import grade_problem

NOISE = 3.0
"""Standard errors that a difference of scores must exceed to be one."""

SHARE = 0.05
"""Where no standard error is known: of the way from baseline to reference."""


class NoGrade(AssertionError):
    """The grader returned something else than a verdict, which ends a run."""


@dataclass(frozen=True)
class Subject:
    """A task as its checks see it.

    Args:
        task, again: two instances, each made anew.
        inputs, repeat: folders that each wrote its public files to.
        sandbox: makes a sandbox to run programs in.
        scratch: an empty folder for what they need.
    """

    task: Task
    again: Task
    info: TaskInfo
    inputs: Path
    repeat: Path
    grader: Grader
    sandbox: Callable[[], Sandbox]
    scratch: Path

    @property
    def sample(self) -> bytes | None:
        """The example submission; None if there is none."""
        path = self.inputs / self.info.submission.sample
        return path.read_bytes() if path.is_file() else None

    @property
    def baseline(self) -> float | None:
        """The score of a naive submission: as stated, else what the sample gets."""
        if self.info.baseline is not None:
            return self.info.baseline
        grade = self.grade(self.sample or b"")
        return grade.private if grade.valid else None

    def grade(self, submission: bytes) -> Grade:
        """The grader's verdict, looked at as a run does; raises NoGrade if it is none."""
        grade = self.grader.grade(submission)
        if problem := grade_problem(grade):
            raise NoGrade(f"grade {problem}")
        for name, score in (("public", grade.public), ("private", grade.private)):
            if score is not None and math.isnan(score):
                raise NoGrade(f"grade returned a {name} score that is nan")
        return grade

    def gain(self, score: float, over: float) -> float:
        """How much better a score is than another; negative if it is worse."""
        return score - over if self.info.metric.direction == "maximize" else over - score

    def noise(self, *grades: Grade) -> float:
        """What a difference between these grades and a fixed score may come to by chance."""
        errors = [g.private_standard_error for g in grades if g.private_standard_error is not None]
        if errors:
            return NOISE * math.hypot(*errors) + 1e-9
        base, reference = self.info.baseline, self.info.reference
        return 1e-9 if base is None or reference is None else SHARE * abs(reference - base)


def score(value: float | None) -> str:
    """A score to five figures."""
    return "none" if value is None else f"{value:.5g}"

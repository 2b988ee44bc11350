"""What an honest solution scores, and when a joined column does better than that can be.

The program of `leaks` tells leaks by the training labels. Where those are noisy, the true answers
explain them no better than honest columns do: only the private score shows what was found.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from mlxlab.core.task import Grade
from mlxlab.testing.taskcheck.grades import Oracle
from mlxlab.testing.taskcheck.subject import NOISE, SHARE, Subject

FAR = 5.0
"""How many times less than honest solutions a column leaves to the true answers' score, if it is
those answers."""

HALF = 0.5
"""The share of the rows that a column has to give to be compared with them: of few, all may be
right by luck."""


@dataclass(frozen=True)
class Bar:
    """The best score that is known to be honest.

    Args:
        score: the stated reference, or what the best of some quick models of the task's own
            columns scores.
        error: the standard error of either; 0 where none is known.
        least: a difference that is none, where the errors say nothing.
        oracle: what the true answers score; None where the grader does not hand them out.
    """

    score: float
    error: float
    least: float
    oracle: float | None

    def beaten(self, subject: Subject, grade: Grade) -> bool:
        """Whether a column alone scores what nothing honest does."""
        assert grade.private is not None
        noise = NOISE * math.hypot(self.error, grade.private_standard_error or 0.0)
        return subject.gain(grade.private, self.score) > max(noise, self.least)

    def answered(self, subject: Subject, grade: Grade | None, coverage: float) -> bool:
        """Whether the rows that a column gives are as good as the true answers.

        Args:
            subject: the task.
            grade: of a submission whose other rows are the true answers.
            coverage: the share of the rows that it gives.
        """
        if self.oracle is None or grade is None or grade.private is None or coverage < HALF:
            return False
        honest = coverage * subject.gain(self.oracle, self.score)
        return honest > 0 and FAR * subject.gain(self.oracle, grade.private) <= honest


def bar(subject: Subject, quick: Grade | None, base: float) -> Bar:
    """The bar of a task whose naive submissions score `base`."""
    info = subject.info
    known, errors = [base, info.reference], [info.standard_error]
    if quick is not None:
        known.append(quick.private)
        errors.append(quick.private_standard_error)
    best = max((s for s in known if s is not None), key=lambda s: subject.gain(s, base))
    return Bar(
        score=best,
        error=max((e for e in errors if e is not None), default=0.0),
        least=SHARE * abs(best - base),
        oracle=_oracle(subject),
    )


def completed(subject: Subject, submission: bytes, missed: Collection[str]) -> bytes | None:
    """A submission with the true answers of some rows; None where they cannot be had."""
    if not isinstance(subject.grader, Oracle):
        return None
    name = subject.info.submission.id_column
    with suppress(Exception):  # likewise
        truth = {row[name]: row for row in _rows(subject.grader.oracle())}
        rows = [truth[r[name]] if r[name] in missed else r for r in _rows(submission)]
        out = io.StringIO()
        writer = csv.DictWriter(out, [name, *subject.info.submission.columns], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()
    return None


def _rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def _oracle(subject: Subject) -> float | None:
    if isinstance(subject.grader, Oracle):
        with suppress(Exception):  # that an oracle fails is what `oracle` finds
            return subject.grade(subject.grader.oracle()).private
    return None

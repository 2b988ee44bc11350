"""The grader of row-wise tasks: one submission, a public and a private score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlxlab.core.task import Grade, Metric, SubmissionContract
from mlxlab.plugins.tasks.submission import Malformed, Reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 200
RESAMPLE_ROWS = 4000
DIGITS = 6
"""Significant digits of a stated score: far below the standard error of any task here."""


@dataclass(frozen=True)
class Answers:
    """What the host alone knows: the truth of each test row, and which rows count where.

    Args:
        ids: the test file's ids, in its order.
        truth: one column of texts or numbers for each target, aligned with `ids`.
        public: whether a row counts for the public score (else for the private one).
    """

    ids: tuple[str, ...]
    truth: dict[str, tuple[Any, ...]] = field(repr=False)
    public: tuple[bool, ...] = field(repr=False)

    def lines(self) -> Iterator[tuple[Any, ...]]:
        """One line for each test row, as the data hash takes them in."""
        return zip(self.ids, self.public, *self.truth.values(), strict=True)


class TableGrader:
    """Grades the CSV of a row-wise task in the host.

    Args:
        contract: the file's columns and rows.
        metric: the registered metric.
        answers: the truth; never written anywhere.
        labels: what the training rows show to be predictable, by target; label metrics only.
    """

    def __init__(
        self,
        contract: SubmissionContract,
        metric: Metric,
        answers: Answers,
        labels: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        import numpy as np

        self._metric = metric
        self._path = contract.path
        known = {name: tuple(map(str, column)) for name, column in answers.truth.items()}
        valid = None if metric.numeric else (labels or {}, known)
        self._reader = Reader(contract, answers.ids, valid)
        columns = [self._reader.encode(name, answers.truth[name]) for name in contract.columns]
        self._truth = np.column_stack(columns)
        public = np.asarray(answers.public, dtype=bool)
        self._public, self._private = np.flatnonzero(public), np.flatnonzero(~public)

    def grade(self, submission: bytes) -> Grade:
        """Grade the bytes of a submission file; a malformed one is a verdict, not an error."""
        try:
            predicted = self._reader.read(submission)
            public = self._score(predicted, self._public)
            private = self._score(predicted, self._private)
        except Malformed as error:
            return Grade(valid=False, message=f"{self._path}: {error}")
        return Grade(
            valid=True,
            public=_rounded(public),
            private=_rounded(private),
            private_standard_error=_rounded(self._standard_error(predicted)),
        )

    def _score(self, predicted: NDArray[Any], rows: NDArray[Any]) -> float | None:
        import math

        if not len(rows):
            return None
        name = self._metric.info.name
        try:
            score = self._metric.score(self._truth[rows], predicted[rows])
        except ValueError as error:
            raise Malformed(f"{error}, as the metric {name} needs.") from error
        if not math.isfinite(score):
            raise Malformed(f"the predictions are too large for {name} to be computed.")
        return score

    def _standard_error(self, predicted: NDArray[Any]) -> float | None:
        """Bootstrap over private rows; m out of n where there are many, scaled back to n."""
        import numpy as np

        rows = self._private
        taken = min(len(rows), RESAMPLE_ROWS)
        draw = np.random.default_rng(0)
        scores = []
        for _ in range(RESAMPLES):
            sample = rows[draw.integers(0, len(rows), taken)]
            scores.append(self._metric.score(self._truth[sample], predicted[sample]))
        kept = np.asarray(scores)[np.isfinite(scores)]
        if len(kept) < RESAMPLES / 2:
            return None
        return float(kept.std(ddof=1) * (taken / len(rows)) ** 0.5)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")

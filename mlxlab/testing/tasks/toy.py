"""A task small enough to do in the head."""

from __future__ import annotations

import csv
import io
from math import isfinite
from pathlib import Path
from typing import Any

from mlxlab.core.task import Grade, MetricInfo, SubmissionContract, TaskInfo

ROWS = 8
FILES = ("test.csv", "sample_submission.csv")
TRAIN = "train.csv"


class ToyTask:
    """Predict 0..7: even ids are private rows, odd ids are public, mean absolute error.

    Args:
        changes: fields of its info with other values. Among `files`, "train.csv" is a table of
            the ids from 8 on.
    """

    hidden: tuple[str, ...] = ()

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    @property
    def info(self) -> TaskInfo:
        """Everything but the answers."""
        info = TaskInfo(
            id="toy",
            title="Toy",
            description="Predict y = id.",
            metric=MetricInfo(name="mae", direction="minimize", low=0.0),
            submission=SubmissionContract(id_column="id", columns=("y",), rows=ROWS),
            target=("y",),
            files=FILES,
            train_rows=0,
            public_rows=ROWS // 2,
            private_rows=ROWS // 2,
            baseline=3.0,
            reference=0.0,
            m_init=3.0,
            m_best=0.0,
            data_hash="0" * 64,
            steps=5,
            exec_timeout_s=10.0,
        )
        return info.model_copy(update=self._changes)

    def prepare(self, folder: Path) -> None:
        """Write the public files."""
        if TRAIN in self.info.files:
            known = [f"{row},{row}.0" for row in range(ROWS, ROWS + self.info.train_rows)]
            (folder / TRAIN).write_text("\n".join(["id,y", *known]) + "\n")
        ids = [str(row) for row in range(ROWS)]
        (folder / "test.csv").write_text("\n".join(["id", *ids]) + "\n")
        (folder / "sample_submission.csv").write_text(self.submission([0.0] * ROWS))

    def grader(self) -> ToyTask:
        """The task grades itself."""
        return self

    @staticmethod
    def submission(values: list[float]) -> str:
        """A submission file that predicts `values` for ids 0, 1, ..."""
        return "id,y\n" + "".join(f"{row},{value}\n" for row, value in enumerate(values))

    def grade(self, submission: bytes) -> Grade:
        """Mean absolute error on odd ids (public) and on even ids (private)."""
        try:
            rows = list(csv.DictReader(io.StringIO(submission.decode())))
            values = {int(row["id"]): float(row["y"]) for row in rows}
        except (KeyError, TypeError, ValueError, csv.Error):
            return Grade(valid=False, message="submission.csv needs the columns id and y.")
        if sorted(values) != list(range(ROWS)):
            return Grade(valid=False, message=f"submission.csv needs the ids 0 to {ROWS - 1}.")
        if not all(map(isfinite, values.values())):
            return Grade(valid=False, message="submission.csv needs a finite number in each row.")
        errors = {row: abs(value - row) for row, value in values.items()}
        public = [error for row, error in errors.items() if row % 2]
        private = [error for row, error in errors.items() if row % 2 == 0]
        return Grade(
            valid=True,
            public=sum(public) / len(public),
            private=sum(private) / len(private),
            private_standard_error=0.0,
        )


def toy_task(**changes: Any) -> ToyTask:
    """A toy with a training table, so that every scaffold finds what it needs.

    Args:
        changes: fields of its info with other values.
    """
    return ToyTask(**{"files": (TRAIN, *FILES), "train_rows": 3 * ROWS, **changes})

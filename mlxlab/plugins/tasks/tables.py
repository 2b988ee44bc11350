"""From a whole table and a split to public files and answers, for tasks made of one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlxlab.core.task import Metric, SubmissionContract
from mlxlab.plugins.tasks.grading import Answers, TableGrader
from mlxlab.plugins.tasks.naive import constant
from mlxlab.plugins.tasks.split import Split, ordered

if TYPE_CHECKING:
    import pandas as pd

ID = "id"


@dataclass(frozen=True)
class Layout:
    """A table laid out as a task.

    Args:
        files: train.csv, test.csv and sample_submission.csv.
        train, test: the row numbers of the table behind the lines of the two files.
        answers: what only the grader may hold.
        labels: the labels of the training rows by target; empty for numeric metrics.
    """

    files: dict[str, bytes]
    train: list[int]
    test: list[int]
    contract: SubmissionContract
    answers: Answers
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def grader(self, metric: Metric) -> TableGrader:
        """The grader of this layout."""
        return TableGrader(self.contract, metric, self.answers, self.labels)


def lay_out(frame: pd.DataFrame, target: str, split: Split, metric: Metric, salt: str) -> Layout:
    """Write the three public CSV files of a table whose columns are features and one target.

    Public and private rows are shuffled together and numbered on from the training rows in
    that order, so neither an id nor a place in the file tells which rows count where.
    """
    test = ordered([*split.public, *split.private], salt + "/test")
    public = set(split.public)
    seen, hidden = frame.iloc[split.train], frame.iloc[test]
    train_ids = range(len(seen))
    test_ids = range(len(seen), len(seen) + len(hidden))
    answers = Answers(
        ids=tuple(map(str, test_ids)),
        truth={target: tuple(hidden[target].tolist())},
        public=tuple(row in public for row in test),
    )
    naive = constant(metric, seen[target].tolist())
    return Layout(
        files={
            "train.csv": to_csv(_numbered(seen, train_ids)),
            "test.csv": to_csv(_numbered(hidden.drop(columns=target), test_ids)),
            "sample_submission.csv": _sample(test_ids, target, naive),
        },
        train=list(split.train),
        test=test,
        contract=SubmissionContract(id_column=ID, columns=(target,), rows=len(test)),
        answers=answers,
        labels={} if metric.numeric else {target: tuple(map(str, seen[target]))},
    )


def to_csv(frame: pd.DataFrame) -> bytes:
    """A frame as CSV: UTF-8, bare newlines, empty cells where values are missing."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _numbered(frame: pd.DataFrame, ids: range) -> pd.DataFrame:
    numbered = frame.copy()
    numbered.insert(0, ID, list(ids))
    return numbered


def _sample(ids: range, target: str, naive: object) -> bytes:
    lines = [f"{ID},{target}", *(f"{number},{naive}" for number in ids)]
    return ("\n".join(lines) + "\n").encode()

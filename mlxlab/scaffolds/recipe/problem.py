"""What programs need to know of a task, small enough to stand in every decision."""

from __future__ import annotations

import re
from typing import Literal

from mlxlab.core.records import Record
from mlxlab.core.task import TaskInfo
from mlxlab.scaffolds.recipe.space import Kind

Output = Literal["labels", "chances", "numbers"]

_OUTPUTS: tuple[tuple[Output, str], ...] = (
    ("numbers", r"dcg|mrr|rank|map_?(at_?)?\d"),
    ("chances", r"auc|log_?loss|entropy|brier|average_precision"),
    ("labels", r"acc|f1|f_?beta|kappa|matthews|mcc|precision|recall|jaccard"),
    ("numbers", r"rms|mae|mse|r2|mape|error|deviance|pearson|spearman|quantile"),
)
"""What a metric judges, by what its name holds; the first that fits counts."""


class Problem(Record):
    """A task as a program's constants.

    Args:
        train, test: the tables' paths below `input/`; images lie beside them.
        images: the arrays of the training and the test rows; empty for a task of tables.
    """

    kind: Kind
    output: Output
    train: str
    test: str
    images: tuple[str, ...] = ()
    sample: str = ""
    id: str
    targets: tuple[str, ...]
    columns: tuple[str, ...]
    path: str


def problem(info: TaskInfo) -> Problem | None:
    """Read a task; None where it is not two tables and a table to hand in."""
    due = info.submission
    train, test = _file(info, "train.csv"), _file(info, "test.csv")
    if due.form != "table" or not due.columns or train is None or test is None:
        return None
    targets = info.target or due.columns
    output = _output(info, len(targets))
    pictures = (_file(info, "train_images.npy"), _file(info, "test_images.npy"))
    return Problem(
        kind="regression" if output == "numbers" else "classification",
        output=output,
        train=train,
        test=test,
        images=tuple(name for name in pictures if name) if all(pictures) else (),
        sample=due.sample,
        id=due.id_column,
        targets=targets,
        columns=due.columns,
        path=due.path,
    )


def _file(info: TaskInfo, wanted: str) -> str | None:
    return next((name for name in info.files if name.rpartition("/")[2] == wanted), None)


def _output(info: TaskInfo, targets: int) -> Output:
    """A metric of an unknown name is taken for an error of numbers if lower is better."""
    if targets == 1 and len(info.submission.columns) > 1:
        return "chances"
    name = re.sub(r"[-\s]", "_", info.metric.name.lower())
    for output, words in _OUTPUTS:
        if re.search(words, name):
            return output
    return "labels" if info.metric.direction == "maximize" else "numbers"

"""A task's tables as the host's checks read them, large ones in part."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxlab.testing.taskcheck.grades import Oracle
from mlxlab.testing.taskcheck.subject import Subject

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MOST_ROWS = 50_000
MOST_COLUMNS = 300
"""Of each table no more is read."""


@dataclass(frozen=True)
class Table:
    """Training and test rows.

    Args:
        train, test: the columns that both have, without ids and targets, in the same order.
        known: the targets of the training rows.
        asked: the true answers of the test rows; None where the grader does not hand them out.
        train_ids, test_ids: as texts; training rows may have none.
        arrays: arrays beside the tables, (training rows, test rows).
        cut: a half-sentence if only a part was read.
        alone: the columns that test rows alone have.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    known: pd.DataFrame
    asked: pd.DataFrame | None
    train_ids: list[str]
    test_ids: list[str]
    arrays: list[tuple[NDArray[Any], NDArray[Any]]]
    cut: str
    alone: pd.DataFrame | None = None


def read(subject: Subject) -> Table | str:
    """The tables; or, in words, why the task has none that could be looked at."""
    info, contract = subject.info, subject.info.submission
    if contract.form != "table":
        return "what is handed in is no table"
    paths = {part: _path(subject, part) for part in ("train", "test")}
    train, test = (_head(path, contract.id_column) for path in paths.values())
    if train is None or not set(info.target) <= set(train.columns):
        return "there is no table of training rows, train.csv, with the targets"
    if test is None or contract.id_column not in test.columns:
        return "there is no table of test rows, test.csv, with the ids"
    apart = {contract.id_column, *info.target}
    shared = [name for name in test.columns if name in train.columns and name not in apart]
    cut = _cut(info.train_rows, contract.rows, len(train), len(test), len(shared))
    kept = shared[:MOST_COLUMNS]
    alone = [name for name in test.columns if name not in train.columns and name not in apart]
    ids = train.get(contract.id_column)
    return Table(
        train=train[kept],
        test=test[kept],
        known=train[list(info.target)],
        asked=_asked(subject, test[contract.id_column]),
        train_ids=[] if ids is None else ids.astype(str).tolist(),
        test_ids=test[contract.id_column].astype(str).tolist(),
        arrays=list(_arrays(subject, len(train), len(test))),
        cut=cut,
        alone=test[alone[:MOST_COLUMNS]],
    )


def _path(subject: Subject, part: str) -> Path | None:
    """train.csv or test.csv, wherever it lies among the public files; the topmost one."""
    found = sorted(subject.inputs.rglob(f"{part}.csv"), key=lambda path: (len(path.parts), path))
    return found[0] if found else None


def _head(path: Path | None, ids: str) -> pd.DataFrame | None:
    """The first rows of a table; ids are texts, which may begin with a zero."""
    import pandas as pd

    if path is None:
        return None
    try:
        return pd.read_csv(path, nrows=MOST_ROWS, low_memory=False, dtype={ids: str})
    except (OSError, ValueError):  # what pandas raises for text that is no table are ValueErrors
        return None


def _cut(train: int, test: int, seen: int, asked: int, columns: int) -> str:
    parts = []
    if seen < train or asked < test:
        parts.append(f"the first {MOST_ROWS:,} rows of each table")
    if columns > MOST_COLUMNS:
        parts.append(f"{MOST_COLUMNS} of {columns:,} columns")
    return f" (only {' and '.join(parts)} were read)" if parts else ""


def _asked(subject: Subject, ids: pd.Series) -> pd.DataFrame | None:
    """The true answers in the order of the test table."""
    import pandas as pd

    grader, contract = subject.grader, subject.info.submission
    if not isinstance(grader, Oracle):
        return None
    with contextlib.suppress(Exception):  # that an oracle fails is what `oracle` finds
        truth = pd.read_csv(io.BytesIO(grader.oracle()), dtype={contract.id_column: str})
        found = truth.set_index(contract.id_column)[list(contract.columns)]
        return found.reindex(ids.astype(str)).reset_index(drop=True)
    return None


def _arrays(subject: Subject, train: int, test: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Pairs of arrays with a row for each row of the two tables."""
    import numpy as np

    found = []
    for path in sorted(subject.inputs.rglob("*train*.npy")):
        other = path.with_name(path.name.replace("train", "test"))
        with contextlib.suppress(OSError, ValueError):
            pair = tuple(np.load(name, mmap_mode="r") for name in (path, other))
            if all(array.ndim for array in pair) and list(map(len, pair)) == [train, test]:
                found.append((pair[0], pair[1]))
    return found

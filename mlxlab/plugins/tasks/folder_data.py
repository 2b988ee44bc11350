"""An author's train, test, sample and answers, read and checked against each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlxlab.core.errors import TaskError
from mlxlab.plugins.tasks.csv_files import (
    read_csv,
    require_columns,
    require_ids,
    require_rows,
    require_same_ids,
    require_targets,
)
from mlxlab.plugins.tasks.public_files import TABLES, outside
from mlxlab.plugins.tasks.task_file import TaskFile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FolderData:
    """Four tables of text; the answers are in the order of the test file.

    Args:
        salt: fixes every draw of the task; it takes in the answers' bytes, so that nobody
            without them can draw the same.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    sample: pd.DataFrame
    answers: pd.DataFrame
    answers_path: Path
    salt: str


def read(folder: Path, stated: TaskFile, numeric: bool) -> FolderData:
    """Read the four files; raises TaskError for the first thing wrong, in one line."""
    answers_path = outside(folder, stated.answers)
    train_path, test_path, sample_path = (folder / name for name in TABLES)
    paths = (train_path, test_path, sample_path, answers_path)
    train, test, sample, answers = map(read_csv, paths)
    identity, targets = stated.id_column, stated.target
    require_columns(train_path, train, [identity, *targets])
    require_columns(test_path, test, [identity])
    require_columns(answers_path, answers, [identity, *targets])
    for path, table in zip(paths, (train, test, sample, answers), strict=True):
        require_rows(path, table)
    _no_targets(test_path, test, targets)
    _sample_columns(sample_path, sample, [identity, *targets])
    ids = test[identity].tolist()
    require_ids(train_path, train[identity].tolist())
    require_ids(test_path, ids)
    require_same_ids(sample_path, sample[identity].tolist(), test_path, ids)
    require_same_ids(answers_path, answers[identity].tolist(), test_path, ids)
    for name in targets:
        require_targets(train_path, name, train[name].tolist(), numeric)
        require_targets(answers_path, name, answers[name].tolist(), numeric)
    aligned = answers.set_index(identity).loc[ids, list(targets)].reset_index(drop=True)
    digest = hashlib.sha256(answers_path.read_bytes()).hexdigest()
    salt = f"mlxlab/folder/{stated.id or folder.resolve().name}/{digest}"
    return FolderData(train, test, sample, aligned, answers_path, salt)


def _no_targets(path: Path, test: pd.DataFrame, targets: tuple[str, ...]) -> None:
    for name in targets:
        if name in test.columns:
            raise TaskError(f"{path} holds the target '{name}'.", "Take the column out.")


def _sample_columns(path: Path, sample: pd.DataFrame, wanted: list[str]) -> None:
    if list(sample.columns) != wanted:
        raise TaskError(
            f"{path} must have the columns {', '.join(wanted)}, "
            f"but has {', '.join(map(str, sample.columns[:20]))}."
        )


def check_carving(folder: Path, data: FolderData, stated: TaskFile) -> None:
    """Raise TaskError where carved rows could not be made to look like test rows."""
    train_path, test_path = folder / TABLES[0], folder / TABLES[1]
    lacking = [name for name in data.test.columns if name not in data.train.columns]
    if lacking:
        raise TaskError(
            f"{train_path} lacks the column '{lacking[0]}' of test.csv.",
            "Rows of train.csv cannot be carved then: state public_fraction = 0.",
        )
    if stated.group is None:
        return
    require_columns(train_path, data.train, [stated.group])
    groups = data.train[stated.group]
    if (groups == "").any():
        raise TaskError(f"{train_path} has a row without a '{stated.group}', the group.")
    if stated.group in data.test.columns:
        shared = set(groups) & set(data.test[stated.group])
        if shared:
            raise TaskError(
                f"{test_path} shares the {stated.group} '{min(shared)}' with train.csv.",
                "A group must be in one of them only; leave the key 'group' out otherwise.",
            )

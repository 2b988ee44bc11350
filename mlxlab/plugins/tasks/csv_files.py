"""Reading an author's CSV files as text, and the faults that a task must not have."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlxlab.core.errors import TaskError

if TYPE_CHECKING:
    import pandas as pd


def read_csv(path: Path) -> pd.DataFrame:
    """A CSV file with every cell as text, the empty string where nothing is written.

    Raises:
        TaskError: the file is missing, is not UTF-8, or is not a table with a header.
    """
    import pandas as pd

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise TaskError(f"{path} is missing.") from None
    except OSError as error:
        raise TaskError(f"{path} could not be read: {error}.") from error
    except UnicodeDecodeError:
        raise TaskError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    lines = _lines(path, text)
    if not lines:
        raise TaskError(f"{path} is empty.", "Write a CSV table with a header.")
    header = lines[0]
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise TaskError(f"{path} has the column '{twice[0]}' more than once.")
    return pd.DataFrame(lines[1:], columns=pd.Index(header), dtype=object)


def _lines(path: Path, text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[list[str]] = []
    try:
        for line in reader:
            if line and lines and len(line) != len(lines[0]):
                raise TaskError(
                    f"{path} is not a CSV table: line {reader.line_num} has {len(line)} fields, "
                    f"the header has {len(lines[0])}."
                )
            if line:
                lines.append(line)
    except csv.Error as error:
        raise TaskError(f"{path} is not CSV in line {reader.line_num}: {error}.") from error
    return lines


def require_columns(path: Path, table: pd.DataFrame, names: Iterable[str]) -> None:
    """Raise TaskError unless the table has the columns."""
    for name in names:
        if name not in table.columns:
            there = ", ".join(map(str, table.columns[:20]))
            raise TaskError(f"{path} has no column '{name}'.", f"Its columns: {there}.")


def require_rows(path: Path, table: pd.DataFrame) -> None:
    """Raise TaskError for a table without rows."""
    if not len(table):
        raise TaskError(f"{path} has a header and no rows.")


def require_ids(path: Path, ids: Sequence[str]) -> None:
    """Raise TaskError for an id that is empty or there twice."""
    name, count = Counter(ids).most_common(1)[0]
    if count > 1:
        raise TaskError(f"{path} has the id '{name}' {count} times.")
    if "" in ids:
        raise TaskError(f"{path} has a row without an id.")


def require_same_ids(path: Path, ids: Sequence[str], test: Path, wanted: Sequence[str]) -> None:
    """Raise TaskError unless two files have the same ids, in any order."""
    require_ids(path, ids)
    extra, missing = set(ids) - set(wanted), set(wanted) - set(ids)
    if extra:
        raise TaskError(f"{path} has the id '{min(extra)}', which {test.name} has not.")
    if missing:
        raise TaskError(f"{path} lacks the id '{min(missing)}' of {test.name}.")


def require_targets(path: Path, name: str, values: Sequence[str], numeric: bool) -> None:
    """Raise TaskError for a target that is missing or, where numbers are due, is none."""
    for row, value in enumerate(values, start=1):
        missing = value.strip().lower() in ("", "nan")
        if missing or (numeric and not _finite(value)):
            what = "no value" if missing else f"'{value[:40]}', which is no finite number"
            raise TaskError(f"{path}: the target '{name}' has {what} in row {row}.")


def _finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

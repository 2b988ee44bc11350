"""Reading a submission written by untrusted code: every fault is named, none is guessed away."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlxlab.core.task import SubmissionContract

if TYPE_CHECKING:
    from numpy.typing import NDArray

BYTES_A_CELL = 200
SHOWN_LABELS = 20
SHOWN_CHARS = 40

Table = dict[str, list[str]]
Labels = tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]


class Malformed(Exception):
    """What is wrong with a submission's form and how to mend it; told to the agent."""


class Reader:
    """Turns a submission's bytes into predictions aligned with the test file's ids.

    Args:
        contract: columns and rows of the file.
        ids: the test file's ids, in its order.
        labels: for label metrics, by target: the labels of the training rows, which messages
            may list, and those of the truth, which are valid too and listed nowhere.
    """

    def __init__(
        self, contract: SubmissionContract, ids: Sequence[str], labels: Labels | None
    ) -> None:
        self._contract = contract
        self._place = {name: place for place, name in enumerate(ids)}
        self._whole_ids = all(map(is_whole, ids))
        self._listed: dict[str, list[str]] = {}
        self._codes: dict[str, dict[str, int]] | None = None
        if labels is not None:
            listed, known = labels
            self._listed = {name: _natural(set(listed.get(name, ()))) for name in known}
            every = {name: _natural({*listed.get(name, ()), *known[name]}) for name in known}
            self._codes = {
                name: {label: code for code, label in enumerate(column)}
                for name, column in every.items()
            }

    def encode(self, name: str, values: Sequence[Any]) -> NDArray[Any]:
        """A column of the truth as the metric will see it: numbers, or codes of labels."""
        import numpy as np

        if self._codes is None:
            return np.asarray([float(value) for value in values])
        return np.asarray([self._codes[name][str(value)] for value in values])

    def read(self, data: bytes) -> NDArray[Any]:
        """Predictions of shape (rows, columns) in the order of the test file.

        Raises:
            Malformed: anything but exactly one usable prediction for each id.
        """
        import numpy as np

        table = _table(data, self._contract, len(self._place))
        order = self._order(table[self._contract.id_column])
        columns = []
        for name in self._contract.columns:
            values = self._values(name, table)
            columns.append(np.asarray(values)[order])
        return np.column_stack(columns)

    def _order(self, given: list[str]) -> list[int]:
        """For each row of the test file, the row of the submission that predicts it."""
        names = [as_whole(name) for name in given] if self._whole_ids else given
        sample = self._contract.sample
        for name, count in Counter(names).items():
            if name not in self._place:
                raise Malformed(
                    f"the id {_shown(name)} is not in test.csv. Take the ids from {sample}."
                )
            if count > 1:
                raise Malformed(f"the id {_shown(name)} occurs {count} times. Write each id once.")
        if len(names) < len(self._place):
            there = set(names)
            first = next(name for name in self._place if name not in there)
            raise Malformed(
                f"{len(self._place) - len(names)} of {len(self._place)} ids are missing, such as "
                f"{_shown(first)}. Predict every row of test.csv."
            )
        order = [0] * len(names)
        for row, name in enumerate(names):
            order[self._place[name]] = row
        return order

    def _values(self, name: str, table: Table) -> list[float] | list[int]:
        ids, texts = table[self._contract.id_column], table[name]
        if self._codes is None:
            return [_number(text, name, ids[row]) for row, text in enumerate(texts)]
        codes = self._codes[name]
        whole = all(map(is_whole, codes))
        found = []
        for row, text in enumerate(texts):
            label = as_whole(text) if whole else text
            if label not in codes:
                raise Malformed(self._unknown_label(name, text, ids[row]))
            found.append(codes[label])
        return found

    def _unknown_label(self, name: str, text: str, row: str) -> str:
        labels = self._listed[name]
        shown = ", ".join(_shown(label) for label in labels[:SHOWN_LABELS])
        more = f" and {len(labels) - SHOWN_LABELS} more" if len(labels) > SHOWN_LABELS else ""
        what = f"is {_shown(text)}, which is no label" if text else "is empty"
        return f"'{name}' of the id {_shown(row)} {what}. Valid labels: {shown}{more}."


def _table(data: bytes, contract: SubmissionContract, rows: int) -> Table:
    """The file's columns by name, every line of the right width."""
    wanted = (contract.id_column, *contract.columns)
    lines = _lines(_text(data, (rows + 1) * len(wanted) * BYTES_A_CELL))
    header = [cell.strip() for cell in next(lines, (1, []))[1]]
    if sorted(header) != sorted(wanted):
        raise Malformed(
            f"the columns must be {_listing(wanted)} (as in {contract.sample}), "
            f"but the first line has {_listing(header)}. "
            "With pandas, write it by to_csv(..., index=False)."
        )
    cells: list[list[str]] = []
    for number, line in lines:
        if len(line) != len(header):
            raise Malformed(
                f"line {number} has {len(line)} fields instead of {len(header)}. "
                "Quote fields that hold a comma."
            )
        cells.append([cell.strip() for cell in line])
        if len(cells) > rows:
            raise Malformed(f"it has more than {rows} rows. Write one row for each id of test.csv.")
    if not cells:
        raise Malformed(f"it has a header and no rows. Write one row for each of {rows} ids.")
    return {name: [line[place] for line in cells] for place, name in enumerate(header)}


def _text(data: bytes, most: int) -> str:
    if not data.strip():
        raise Malformed("the file is empty. Write a CSV file with a header and a row for each id.")
    if len(data) > most:
        raise Malformed(f"it has {len(data)} bytes; one for this task has at most {most}.")
    if data[:2] in (b"PK", b"\x1f\x8b"):
        raise Malformed("it is a compressed file. Write plain CSV text.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("it is not UTF-8 text. Write plain CSV in UTF-8.") from None
    if "\0" in text:
        raise Malformed("it holds NUL bytes. Write plain CSV in UTF-8.")
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for line in reader:
            if line:
                yield reader.line_num, line
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num} is not CSV: {error}.") from None


def _number(text: str, column: str, row: str) -> float:
    where = f"'{column}' of the id {_shown(row)}"
    try:
        # float() takes 1_000, which no CSV reader would.
        value = float("" if "_" in text else text)
    except ValueError:
        what = f"is {_shown(text)}, which is no number" if text else "is empty"
        raise Malformed(f"{where} {what}. Write a finite number in each row.") from None
    if not math.isfinite(value):
        raise Malformed(f"{where} is {_shown(text)}. Write a finite number in each row.")
    return value


def is_whole(text: str) -> bool:
    """Whether a text is a whole number written in its one plain way."""
    return text.isdecimal() and text.isascii() and (text == "0" or text[0] != "0")


def as_whole(text: str) -> str:
    """'7.0' as '7': pandas writes whole numbers so once a column went through floats."""
    head, dot, tail = text.partition(".")
    return head if dot and is_whole(head) and not tail.strip("0") else text


def _natural(labels: set[str]) -> list[str]:
    return sorted(labels, key=lambda label: (len(label), label) if is_whole(label) else (99, label))


def _shown(text: str) -> str:
    """Untrusted text, quoted and cut."""
    return ascii(text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + "...")


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(_shown(name) for name in names[:SHOWN_LABELS])
    return (shown + (", ..." if len(names) > SHOWN_LABELS else "")) or "nothing"

"""Tables: whole in a pipe; in a narrow terminal the least needed columns are left out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.stdout import out
from mlxlab.cli.text import plain

GAP = "  "
NARROWEST = 20
"""Columns that a broken text needs to be worth reading."""


@dataclass(frozen=True)
class Column:
    """A column's title; numbers stand right; the highest `spare` is left out first.

    A last column that may be `cut` is shortened to one line before any column is left out.
    """

    title: str
    right: bool = False
    spare: int = 0
    cut: bool = False


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], piped: int | None = None
) -> None:
    """Print rows of plain strings below their titles, on stdout.

    Args:
        columns: what stands in them.
        rows: a text for each column.
        piped: how wide it is where stdout is no terminal; None: as wide as its texts.
    """
    console = Console(highlight=False)
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [
        max(cell_len(cell) for cell in [column.title, *(row[i] for row in cells)])
        for i, column in enumerate(columns)
    ]
    limit = console.width if console.is_terminal else piped
    shown = _fitting(columns, widths, limit)
    if limit is not None and columns[shown[-1]].cut:
        mark = "…" if console.encoding.startswith("utf") else "~"
        cells = [_shortened(row, widths, shown, limit, mark) for row in cells]
    _print(console, [column.title for column in columns], columns, widths, shown, "bold")
    for row in cells:
        for line in _lines(row, widths, shown, limit):
            _print(console, line, columns, widths, shown, "")
    if missing := [column.title for i, column in enumerate(columns) if i not in shown]:
        told = f"Not shown, for they do not fit: {', '.join(missing)}."
        console.print(Text(told, "dim"), soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON value on stdout, in ASCII, so that every encoding can hold it."""
    print(json.dumps(value, indent=1), file=out())


def _fitting(columns: Sequence[Column], widths: Sequence[int], limit: int | None) -> list[int]:
    shown = list(range(len(columns)))
    least = [
        min(width, NARROWEST) if column.cut else width
        for column, width in zip(columns, widths, strict=True)
    ]
    while limit is not None and sum(least[i] + len(GAP) for i in shown) - len(GAP) > limit:
        spare = max(shown, key=lambda i: columns[i].spare)
        if columns[spare].spare == 0:
            break
        shown.remove(spare)
    return shown


def _shortened(
    row: list[str], widths: Sequence[int], shown: Sequence[int], limit: int, mark: str
) -> list[str]:
    """A row with its last column cut to the room that the others leave it."""
    *others, last = shown
    room = max(0, limit - sum(widths[i] + len(GAP) for i in others))
    if cell_len(row[last]) <= room:
        return row
    return [*row[:last], set_cell_size(row[last], room - 1).rstrip() + mark, *row[last + 1 :]]


def _lines(
    row: Sequence[str], widths: Sequence[int], shown: Sequence[int], limit: int | None
) -> list[list[str]]:
    """A row with its last column broken at words where a terminal is too narrow for it."""
    *others, last = shown
    room = NARROWEST if limit is None else limit - sum(widths[i] + len(GAP) for i in others)
    if limit is None or room < NARROWEST or cell_len(row[last]) <= room:
        return [list(row)]
    broken = textwrap.wrap(row[last], room) or [""]
    lines = [[""] * len(row) for _ in broken]
    lines[0] = list(row)
    for line, part in zip(lines, broken, strict=True):
        line[last] = part
    return lines


def _print(
    console: Console,
    cells: Sequence[str],
    columns: Sequence[Column],
    widths: Sequence[int],
    shown: Sequence[int],
    style: str,
) -> None:
    parts = []
    for i in shown:
        space = " " * max(0, widths[i] - cell_len(cells[i]))
        parts.append(space + cells[i] if columns[i].right else cells[i] + space)
    console.print(Text(GAP.join(parts).rstrip(), style), soft_wrap=True)

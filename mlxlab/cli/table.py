"""Tables: whole in a pipe; in a narrow terminal the least needed columns are left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.text import plain

GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column's title; numbers stand right; the highest `spare` is left out first."""

    title: str
    right: bool = False
    spare: int = 0


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of plain strings below their titles, on stdout."""
    console = Console(highlight=False)
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [
        max(cell_len(cell) for cell in [column.title, *(row[i] for row in cells)])
        for i, column in enumerate(columns)
    ]
    limit = console.width if console.is_terminal else None
    shown = _fitting(columns, widths, limit)
    _print(console, [column.title for column in columns], columns, widths, shown, "bold")
    for row in cells:
        _print(console, row, columns, widths, shown, "")


def print_json(value: object) -> None:
    """Print one JSON value on stdout, in ASCII, so that every encoding can hold it."""
    print(json.dumps(value, indent=1))


def _fitting(columns: Sequence[Column], widths: Sequence[int], limit: int | None) -> list[int]:
    shown = list(range(len(columns)))
    while limit is not None and sum(widths[i] + len(GAP) for i in shown) - len(GAP) > limit:
        spare = max(shown, key=lambda i: columns[i].spare)
        if columns[spare].spare == 0:
            break
        shown.remove(spare)
    return shown


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
        space = " " * (widths[i] - cell_len(cells[i]))
        parts.append(space + cells[i] if columns[i].right else cells[i] + space)
    console.print(Text(GAP.join(parts).rstrip(), style), soft_wrap=True)

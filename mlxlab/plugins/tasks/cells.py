"""One style for the cells of a column, whichever file they come from."""

from __future__ import annotations

import re
from collections.abc import Sequence

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "None", "<NA>"})
_WHOLE = re.compile(r"[+-]?\d+")


def one_style(cells: Sequence[str]) -> list[str]:
    """The cells of a column of numbers written alike; texts as they are.

    Whole numbers stay as they are; once one number has a fraction or an exponent, all are
    written as floats, to the last digit that tells them apart. Missing numbers become empty.
    Digits with a leading zero, as in a post code, make a column of texts.
    """
    there = [cell for cell in cells if cell not in MISSING]
    if not there or any(_code(cell) for cell in there):
        return list(cells)
    if all(_WHOLE.fullmatch(cell) for cell in there):
        return ["" if cell in MISSING else cell for cell in cells]
    try:
        return ["" if cell in MISSING else repr(float(cell)) for cell in cells]
    except ValueError:
        return list(cells)


def _code(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == "0" and cell.isdecimal()

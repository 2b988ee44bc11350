"""On which line of a TOML file a key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

LONGEST = 1000
"""Lines of a file in which a key is looked for: each is parsed with all before it."""


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """The line that first says a key, as `("scaffold", "num_drafts")`; None: it was not found."""
    lines = text.splitlines(keepends=True)
    begun = 0
    for number in range(1, min(len(lines), LONGEST) + 1):
        try:
            found = tomllib.loads("".join(lines[:number]))
        except ValueError:
            continue  # amid a value of several lines
        if _has(found, keys):
            return begun + 1 + _blank(lines[begun:number])
        begun = number
    return None


def _has(value: Any, keys: Sequence[str | int]) -> bool:
    for key in keys:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return False
    return True


def _blank(lines: Sequence[str]) -> int:
    """How many lines before the first that says something."""
    said = (i for i, line in enumerate(lines) if line.strip() and line.lstrip()[0] != "#")
    return next(said, 0)

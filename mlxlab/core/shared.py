"""What everybody works with, the record's writers too: no plugin may replace a part of it."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SHARED: tuple[Any, ...] = (builtins, json, json.JSONEncoder, json.JSONDecoder)
_inside: list[None] = []
"""One for each call of a plugin that is going on; no lock, which a fork could leave taken."""
_before: list[dict[str, Any]] = []
"""What was shared when the first of them began: none of them is blamed for what came earlier."""


def enter() -> None:
    """A plugin's code begins."""
    if not _inside:
        _before[:] = [dict(vars(each)) for each in SHARED]
    _inside.append(None)


def leave() -> str:
    """It has ended: what was replaced meanwhile is put back, and named; the empty text: nothing."""
    _inside.pop()
    replaced = [
        name
        for each, parts in zip(SHARED, _before, strict=True)
        if vars(each) != parts  # dicts compare by identity first, which takes microseconds
        for name in _put_back(each, parts)
    ]
    return f"it replaces {', '.join(replaced)}" if replaced else ""


@contextmanager
def unreplaced() -> Iterator[None]:
    """Keep `SHARED` as it is.

    Raises:
        RuntimeError: a part of it was replaced; it is put back.
    """
    enter()
    why = ""
    try:
        yield
    finally:
        why = leave()
    if why:
        raise RuntimeError(why)


def _put_back(owner: Any, parts: dict[str, Any]) -> list[str]:
    """Restore what was replaced; returns the names."""
    now = vars(owner)
    changed = [name for name, part in parts.items() if now.get(name, owner) is not part]
    for name in changed:
        setattr(owner, name, parts[name])
    return [f"{owner.__name__}.{name}" for name in changed]

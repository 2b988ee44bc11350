"""Where two values begin to differ, in a line: long ones are the same for most of their length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

AROUND = 24
"""Characters that are quoted before the first that differs, and from it on."""
_LONGEST = 120


def difference(one: object, other: object, path: str = "") -> str:
    """The first difference of two unequal values, with the way to it.

    Args:
        one: text, number, record, or a list or dictionary of such.
        other: what it should be equal to.
        path: what leads to them, as `messages`; then it is `messages[1].content at char 812:
            '...1795.2' / '...1795.9'`.
    """
    for step, mine, its in _parts(one, other):
        if mine != its:
            return difference(mine, its, f"{path}{step}" if path else step.removeprefix("."))
    if isinstance(one, str) and isinstance(other, str):
        at = _same(one, other)
        return f"{path} at char {at}: {_around(one, at)} / {_around(other, at)}".lstrip()
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return f"{path}: {len(one)} items / {len(other)} items"
    return f"{path}: {_cut(repr(one))} / {_cut(repr(other))}"


def _parts(one: Any, other: Any) -> Iterator[tuple[str, object, object]]:
    """What lies in both, with the step that leads there."""
    if isinstance(one, BaseModel) and type(one) is type(other):
        for name in type(one).model_fields:
            yield f".{name}", getattr(one, name), getattr(other, name)
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            if key in other:
                step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
                yield step, one[key], other[key]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        for number, (mine, its) in enumerate(zip(one, other, strict=False)):
            yield f"[{number}]", mine, its


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with together."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(text: str, at: int) -> str:
    start, end = max(0, at - AROUND), at + AROUND
    before, after = "..." if start else "", "..." if end < len(text) else ""
    return repr(before + text[start:end] + after)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

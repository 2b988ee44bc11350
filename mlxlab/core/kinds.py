"""Kinds of components: those that mlxlab ships some of are known.

Another one is legal, since a plugin may look its own kind up; but nothing of mlxlab ever asks for
it. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlxlab.core.entries import Entry
from mlxlab.core.near import nearest

_HOOK = "hook"
"""What a module of hooks is listed as, though it is no component."""


def known_kinds(entries: Iterable[Entry]) -> set[str]:
    """The kinds that mlxlab itself has components of."""
    return {entry.kind for entry in entries if entry.builtin}


def with_a_kind(entry: Entry, entries: Iterable[Entry]) -> str:
    """What to write for an entry that has no kind; the kind is the one that its target tells of."""
    target = entry.target.casefold()
    told = [(target.rfind(kind), kind) for kind in known_kinds(entries) if kind in target]
    kind, name = max(told)[1] if told else "scaffold", entry.name.strip(".")
    return f"write kind.{name}, such as {kind}.{name}"


def kindless(entry: Entry, entries: Iterable[Entry]) -> str:
    """What is wrong with an entry that has no kind, and what to do."""
    whose = f"'{entry.name}' of {entry.distribution} {entry.version}"
    todo = f"In its entry point, in pyproject.toml, {with_a_kind(entry, entries)}"
    todo += "; then install it again."
    return f"{whose} has no kind. {todo}"


def kind_problem(kind: str, entries: Iterable[Entry]) -> str:
    """Why a kind may be a slip of the pen, with the one that is near; empty: it is known."""
    known = known_kinds(entries)
    if kind in known | {_HOOK}:
        return ""
    near = nearest(kind, known)
    return "no such kind" + (f"; did you mean '{near}'?" if near else " in mlxlab")

"""`mlx plugins list`: from package metadata only; nothing third-party is imported."""

from __future__ import annotations

import sys
from collections import defaultdict
from difflib import get_close_matches
from typing import Any

from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import plain
from mlxlab.core.aliases import KIND as ALIASES
from mlxlab.core.entries import COMPONENTS, HOOKS, Entry, advertised, disabled, misfit, without_kind
from mlxlab.core.errors import UsageError
from mlxlab.core.kinds import kind_problem, with_a_kind

COLUMNS = (
    Column("KIND"),
    Column("NAME"),
    Column("FROM"),
    Column("VERSION", spare=1),
    Column("TARGET", spare=2),
    Column("NOTE"),
)


def list_plugins(kind: str | None, as_json: bool) -> int:
    """Print every component and hook module, or those of one kind."""
    found = [*advertised(COMPONENTS), *advertised(HOOKS)]
    kinds = sorted({entry.kind for entry in found})
    found += without_kind()
    if kind is not None and kind not in kinds:
        near = get_close_matches(kind, kinds, 1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Kinds: {', '.join(kinds)}."
        raise UsageError(f"Nothing installed is of the kind '{kind}'.", hint)
    remarks = notes(found)
    shown = [entry for entry in found if kind in {None, entry.kind}]
    shown.sort(key=lambda e: (e.kind, e.name, not e.builtin, e.distribution))
    if as_json:
        print_json([as_object(entry, remarks) for entry in shown])
    else:
        print_table(COLUMNS, [_cells(entry, remarks) for entry in shown])
    if kind is not None:
        _tell_of_kindless()
    return 0


def _tell_of_kindless() -> None:
    """What has no kind may be meant to be of the one that is listed."""
    if found := without_kind():
        named = ", ".join(f"'{entry.name}' of {entry.distribution}" for entry in found)
        told = f"mlx: Without a kind, so in no list of one: {named}. See: mlx plugins list"
        print(plain(told), file=sys.stderr)


def notes(entries: list[Entry]) -> dict[tuple[str, ...], str]:
    """What keeps an entry from being reached by its plain name."""
    off = disabled()
    found: dict[tuple[str, ...], str] = {}
    rivals: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if off & {entry.distribution, entry.entry_point.name}:
            found[entry[:5]] = "disabled"
        elif (why := misfit(entry)) is not None:
            found[entry[:5]] = why[0]
        elif not entry.kind:
            found[entry[:5]] = with_a_kind(entry, entries)
        elif entry.kind != "hook":
            if strange := kind_problem(entry.kind, entries):
                found[entry[:5]] = strange
            rivals[entry.kind, entry.name].append(entry)
        if entry.kind == ALIASES:
            found.setdefault(entry[:5], "names that stand for specs: mlx policies list")
    for same in rivals.values():
        taken = any(entry.builtin for entry in same)
        for entry in same if len(same) > 1 else []:
            if not entry.builtin:
                word = "shadowed" if taken else "ambiguous"
                found[entry[:5]] = f"{word}: write {entry.distribution}::{entry.name}"
    return found


def as_object(entry: Entry, remarks: dict[tuple[str, ...], str]) -> dict[str, Any]:
    """An entry for --json."""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "target": entry.target,
        "builtin": entry.builtin,
        "note": remarks.get(entry[:5]),
    }


def _cells(entry: Entry, remarks: dict[tuple[str, ...], str]) -> list[str]:
    origin = "built in" if entry.builtin else entry.distribution
    note = remarks.get(entry[:5], "")
    return [entry.kind, entry.name, origin, entry.version, entry.target, note]

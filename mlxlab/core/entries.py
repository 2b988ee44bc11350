"""Which components are installed, read from package metadata; nothing is imported.

This module stays free of pydantic and pluggy: `mlx --help` lists commands through it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

COMPONENTS = "mlxlab.components"
HOOKS = "mlxlab"
OWN = "mlxlab"


class Entry(NamedTuple):
    """One advertised component: what it is, where it lies, who ships it."""

    kind: str
    name: str
    target: str
    distribution: str
    version: str
    entry_point: EntryPoint

    @property
    def builtin(self) -> bool:
        """Whether mlxlab itself ships it."""
        return self.distribution == OWN


def disabled() -> frozenset[str]:
    """Distributions and hook modules switched off by MLX_DISABLE_PLUGINS=a,b."""
    names = os.environ.get("MLX_DISABLE_PLUGINS", "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def installed(group: str = COMPONENTS) -> list[Entry]:
    """Every entry of a group that is not disabled, built-ins first, then by distribution and name.

    Names in the components group are `kind.name`; an entry without a kind is left out, since
    nothing could ever ask for it.
    """
    off = disabled()
    return [e for e in advertised(group) if not off & {e.distribution, e.entry_point.name}]


def advertised(group: str = COMPONENTS) -> list[Entry]:
    """As `installed`, with what is disabled too."""
    found = {entry[:5]: entry for entry in map(_entry, entry_points(group=group)) if entry}
    return sorted(found.values(), key=lambda e: (not e.builtin, e.distribution, e.kind, e.name))


def _entry(point: EntryPoint) -> Entry | None:
    distribution = point.dist.name if point.dist else "?"
    kind, _, name = ("hook", "", point.name) if point.group == HOOKS else point.name.partition(".")
    if not name:
        return None
    version = point.dist.version if point.dist else "?"
    return Entry(kind, name, point.value, distribution, version, point)


def of_kind(entries: Iterable[Entry], kind: str) -> list[Entry]:
    """The entries of one kind."""
    return [entry for entry in entries if entry.kind == kind]
